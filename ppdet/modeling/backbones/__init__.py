"""Networks from image to feature maps; each has `out_shape`."""
