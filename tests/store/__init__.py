"""Tests of what touches MongoDB, on a real one."""
