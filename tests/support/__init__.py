"""Helpers of the tests: small models, configurations and data, and the shared data outside the repository."""
