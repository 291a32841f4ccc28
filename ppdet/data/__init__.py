"""Data floor: annotations and images in, batches of numpy arrays out.

Import the submodule you need; this file is light.
"""
