"""Bounds the memory of decoded images."""

from __future__ import annotations

import threading


class PixelBudget:
    """Decoded images that may exist at the same time, counted in pixels (3 bytes each).

    Args:
        most: largest sum of pixels. A single image may have more, so that every accepted image gets its turn.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0
        self._changed = threading.Condition()

    def take(self, pixels: int) -> None:
        """Wait until an image of that many pixels fits, and count it."""
        with self._changed:
            self._changed.wait_for(lambda: self.held == 0 or self.held + pixels <= self.most)
            self.held += pixels

    def give_back(self, pixels: int) -> None:
        """The image is no longer needed."""
        with self._changed:
            self.held -= pixels
            self._changed.notify_all()
