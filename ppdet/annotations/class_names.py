"""What datasets and detectors call the class of people."""

PERSON_NAMES = ("person", "pedestrian", "human", "people", "persons", "pedestrians")
"""In lower case."""
