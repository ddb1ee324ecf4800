"""Recordings of calls that are kept with them."""
