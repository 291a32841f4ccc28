"""Crops, boxes and object keypoint similarity in NumPy.

Pixel convention of the whole package: the centre of the top-left pixel is (0, 0), as OpenCV's warps have it. Boxes are
``xyxy`` floats with ``w = x2 - x1``.
"""
