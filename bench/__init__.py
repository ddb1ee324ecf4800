"""Benchmarks: the real server and a bare Tornado relay, measured by one load generator in one run."""
