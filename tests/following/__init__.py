"""Following tasks."""
