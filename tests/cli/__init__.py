"""The command ``ringback``, as a shell runs it."""
