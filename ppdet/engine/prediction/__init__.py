"""Predict from weights."""
