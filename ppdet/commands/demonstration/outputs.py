"""The contact sheet of the demo."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ppdet.core.errors import MediaError
from ppdet.image import write_image
from ppdet.visualize.frame_tiles import contact_sheet

SHEET_FRAMES = 8


class SheetFrames:
    """Keeps at most twice `SHEET_FRAMES` images, evenly spread over a sequence of unknown length."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, np.ndarray]] = []
        self._step = 1
        self._count = 0

    def add(self, image: np.ndarray) -> None:
        """Add the next (H, W, 3) RGB image."""
        if self._count % self._step == 0:
            self._kept.append((self._count + 1, image))
            if len(self._kept) > 2 * SHEET_FRAMES:
                self._kept, self._step = self._kept[::2], 2 * self._step
        self._count += 1

    def write(self, path: Path, what: str) -> Path:
        """Write the contact sheet; `what` ("frame", "image") names the numbers on it.

        Raises:
            MediaError: nothing was added, or the file cannot be written.
        """
        if not self._kept:
            raise MediaError(f"no frame for the contact sheet {path} could be read")
        chosen = np.unique(np.linspace(0, len(self._kept) - 1, SHEET_FRAMES).round().astype(int))
        numbers, images = zip(*(self._kept[index] for index in chosen))
        return write_image(path, contact_sheet(list(images), labels=[f"{what} {number}" for number in numbers]))


def video_sheet(video: Path, path: Path) -> Path:
    """Write a contact sheet of a video that was just written.

    Raises:
        MediaError: none of its frames can be read.
    """
    frames = SheetFrames()
    capture = cv2.VideoCapture(str(video))
    try:
        while True:
            read, bgr = capture.read()
            if not read:
                break
            frames.add(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB))
    finally:
        capture.release()
    return frames.write(path, "frame")
