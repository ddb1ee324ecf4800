"""Ringback: a calling server for your own machine."""
