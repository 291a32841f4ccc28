"""Weight files: read, match, write, fetch."""
