"""The commands of deploy/python: exported models on images, videos and cameras, with PaddleDetection's flags."""

from __future__ import annotations

__all__: list[str] = []
