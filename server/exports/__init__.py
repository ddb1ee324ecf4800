"""Exports: all that Ringback holds about a person, as files for them alone."""
