"""Datasets: where annotations and pixels come from. One class a module; nothing heavy is imported here."""
