"""Feature maps to raw predictions."""
