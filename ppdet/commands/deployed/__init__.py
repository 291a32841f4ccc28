"""The commands of deploy/python: exported models on images, videos and cameras, with PaddleDetection's flags."""
