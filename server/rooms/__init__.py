"""The rooms of calls: who is in which, and what they say to each other there."""
