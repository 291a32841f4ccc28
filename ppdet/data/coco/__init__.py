"""Read COCO-style annotation and result files."""
