"""Identities and smooth motion over time."""
