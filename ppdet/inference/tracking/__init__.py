"""Identities of people and smoothing of keypoints over time."""
