"""From images to boxes and keypoints with an exported model."""
