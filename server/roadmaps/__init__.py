"""Roadmaps of calls: what was decided, who does what by when, and what is open; made by rules, not by guessing."""
