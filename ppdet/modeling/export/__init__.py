"""Layers that turn a model into what a deployed graph returns."""
