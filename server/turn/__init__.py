"""TURN from the side of whoever uses it: credentials, a client, and a check-up of a server."""
