"""Layers that turn a model into what a deployed graph returns."""

from __future__ import annotations

__all__: list[str] = []
