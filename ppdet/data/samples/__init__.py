"""What travels through a data pipeline, and how it is batched."""
