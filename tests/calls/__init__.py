"""The rules of calls, and what is told of them."""
