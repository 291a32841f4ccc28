"""Commands that run exported models on a machine without Paddle: pose, batch, detect, draw, serve, doctor."""

from __future__ import annotations

__all__: list[str] = []
