"""Whole models, built from their parts."""
