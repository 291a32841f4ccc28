"""Reuses the memory of frames.

The operating system clears new memory page by page, which takes several times as long as writing pixels into memory that is
there already: 2.7 against .3 ms for the colours of a frame of 1376x910.
"""
from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np


class FrameBuffers:
    """Frame arrays, which are handed out again once neither they nor views of them are referenced.

    To be used by one thread; those who hold the arrays may be others.

    Args:
        most: how many arrays are kept. If all are in use, for example because a user keeps the frames, new ones are allocated.
    """

    def __init__(self, most: int = 24) -> None:
        self._most = most
        self._buffers: list[np.ndarray] = []
        self._unheld = _holders([np.empty(0, np.uint8)], 0)

    def empty(self, shape: Sequence[int]) -> np.ndarray:
        """An uninitialised uint8 array."""
        shape = tuple(shape)
        for place in range(len(self._buffers)):
            if _holders(self._buffers, place) == self._unheld:
                if self._buffers[place].shape != shape:  # another video, or a stream that changes its size
                    self._buffers[place] = np.empty(shape, np.uint8)
                return self._buffers[place]
        buffer = np.empty(shape, np.uint8)
        if len(self._buffers) < self._most:
            self._buffers.append(buffer)
        return buffer

    def copy_of(self, image: np.ndarray) -> np.ndarray:
        """A C-contiguous copy of a uint8 image."""
        buffer = self.empty(image.shape)
        np.copyto(buffer, image)
        return buffer


def _holders(buffers: list[np.ndarray], place: int) -> int:
    """References to one of the arrays, those of the list and of this call included."""
    return sys.getrefcount(buffers[place])
