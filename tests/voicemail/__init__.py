"""Who may leave messages, and what recordings are."""
