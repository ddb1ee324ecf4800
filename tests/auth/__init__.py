"""Passwords, tokens, sign-ins and their throttling."""
