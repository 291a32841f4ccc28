"""Checks that a video is complete after writing it."""
from __future__ import annotations

from pathlib import Path

import cv2

# Containers that state the exact number of frames and can seek to any frame; the others are read completely.
INDEXED_SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv")


def what_is_wrong(path: Path, frames: int) -> str | None:
    """Read a finished video back.

    Args:
        path: the file.
        frames: number of frames passed to the encoder.

    Returns:
        Description of the problem, or None if all frames can be read (except one, which some encoders do not write).
    """
    if frames == 0:
        return "it has no frames"
    if not path.is_file() or path.stat().st_size == 0:
        return "the encoder produced no file"
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened():
            return f"its index is missing after {path.stat().st_size} bytes"
        found = _frames(capture, path.suffix.lower() in INDEXED_SUFFIXES)
    finally:
        capture.release()
    return None if found >= max(frames - 1, 1) else f"{found} of its {frames} frames can be read back"


def _frames(capture: cv2.VideoCapture, is_indexed: bool) -> int:
    """Number of frames; in an indexed container the last one is decoded, and only if that fails all are counted."""
    if is_indexed:
        stated = int(max(capture.get(cv2.CAP_PROP_FRAME_COUNT), 0))
        if stated > 0 and capture.set(cv2.CAP_PROP_POS_FRAMES, stated - 1) and capture.read()[0]:
            return stated
        capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
    count = 0
    while capture.grab():
        count += 1
    return count
