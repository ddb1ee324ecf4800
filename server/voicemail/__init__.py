"""Messages that callers leave when a call was not taken."""
