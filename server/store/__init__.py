"""Everything that touches MongoDB."""
