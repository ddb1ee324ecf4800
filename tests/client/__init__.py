"""The reference client against small scripted servers; what it does with Ringback's own is in the other tests."""
