"""Contacts, and the page on which people meet."""
