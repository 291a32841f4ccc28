"""Weights of other toolkits: read the authors' PyTorch files without PyTorch, and give them our names."""
