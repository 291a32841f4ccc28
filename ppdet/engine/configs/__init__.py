"""Check a configuration before anything is built from it."""
