"""Videos and cameras: read, process, write."""
