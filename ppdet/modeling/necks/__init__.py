"""Feature maps in, feature maps of one width out."""
