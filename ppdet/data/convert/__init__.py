"""Convert annotations of other tools to COCO's format."""
