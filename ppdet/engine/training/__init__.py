"""The training loop and everything that happens around its iterations."""
