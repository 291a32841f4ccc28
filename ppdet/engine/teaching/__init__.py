"""A better model that makes part of the targets of a training."""
