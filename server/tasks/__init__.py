"""Long tasks: what a person starts and follows while it is done, by the server itself or by another program."""
