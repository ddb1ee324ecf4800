"""Calls: what a call is, the rules of its life, and the switchboard that applies them."""
