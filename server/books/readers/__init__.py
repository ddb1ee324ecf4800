"""One reader for each format of books."""
