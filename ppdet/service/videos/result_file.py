"""The JSON result of a video, written frame by frame, so that memory does not grow with its length."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ppdet.core.files import atomic_write
from ppdet.inference.results import PoseResult
from ppdet.service.schema_names import SCHEMA, VIDEO_RESULT


class VideoResultFile:
    """Frames of one video; `close` completes the document.

    Args:
        stream: an open text file.
        fps: frames per second.
        size_wh: of every frame.
    """

    def __init__(self, stream: IO[str], fps: float, size_wh: tuple[int, int]) -> None:
        self._stream, self._count = stream, 0
        head = {SCHEMA: VIDEO_RESULT, "fps": fps, "width": size_wh[0], "height": size_wh[1]}
        stream.write(json.dumps(head)[:-1] + ', "frames": [')

    def add(self, result: PoseResult) -> None:
        """Append a frame."""
        self._stream.write(",\n" if self._count else "\n")
        self._stream.write(json.dumps(result.to_dict(), ensure_ascii=False))
        self._count += 1

    def close(self, missing: int, unreadable: Sequence[int]) -> None:
        """Complete the document."""
        self._stream.write(f'\n], "missing": {int(missing)}, "unreadable": {json.dumps(list(unreadable))}}}\n')


@contextmanager
def video_result_file(path: Path, fps: float, size_wh: tuple[int, int]) -> Iterator[VideoResultFile]:
    """Write a result; the file appears when the block ends without an error. The block calls `close`."""
    with atomic_write(path) as stream:
        yield VideoResultFile(stream, fps, size_wh)
