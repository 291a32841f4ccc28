"""Counts the bytes of bodies that are in memory."""

from __future__ import annotations


class MemoryLedger:
    """Used by one thread, the event loop's.

    Args:
        most: largest sum of bytes.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0

    def take(self, count: int) -> bool:
        """Count bytes, if they fit."""
        if self.held + count > self.most:
            return False
        self.held += count
        return True

    def give_back(self, count: int) -> None:
        """The bytes are freed."""
        self.held -= count
