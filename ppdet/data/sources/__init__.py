"""Datasets: annotations and pixels from files. Nothing heavy is imported here."""
