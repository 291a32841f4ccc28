"""Rendered people with known keypoints: a clip for the demo and for tests, since no real video may be shipped."""

from __future__ import annotations

from ppdet.visualize.rendered_people.scene import FPS, RenderedFrame, rendered_clip

__all__ = ["FPS", "RenderedFrame", "rendered_clip"]
