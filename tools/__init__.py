"""What builds, tests and keeps Ringback's own files; not part of the installed package."""
