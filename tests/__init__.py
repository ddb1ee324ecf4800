"""The tests, in the order of the modules; `journeys` are those in a real browser."""
