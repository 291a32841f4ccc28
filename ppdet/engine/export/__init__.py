"""Write a model as a folder that any runtime can run, and compare it with the framework."""
