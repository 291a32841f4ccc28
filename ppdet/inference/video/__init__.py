"""Videos, streams and cameras: reading, processing, writing."""
