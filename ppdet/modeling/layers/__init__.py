"""Bricks shared by several networks."""
