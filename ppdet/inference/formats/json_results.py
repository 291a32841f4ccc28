"""Streams results to JSON lists, so that memory does not grow with the length of a video.

Two layouts: PaddleDetection's nested lists, which existing scripts read, and one with names.
"""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ppdet.inference.formats.json_list import JsonList
from ppdet.inference.formats.options import FormatOptions
from ppdet.inference.formats.pose_writer import PoseWriter
from ppdet.inference.formats.poses import Poses
from ppdet.inference.person import rounded


def paddledet_record(result: Poses) -> list[Any]:
    """One image or frame in PaddleDetection's layout.

    `[path or frame number, [[xmin, ymin, xmax, ymax], ...], [[[[x, y, score], ...K], ...N], [[mean score], ...N]]]`; an image
    without people has empty lists, while PaddleDetection omits it.
    """
    rows = np.concatenate([result.keypoints, result.scores[..., None]], axis=2)
    name = result.path if result.frame_id is None else result.frame_id
    return [name, rounded(result.boxes), [rounded(rows), rounded(result.person_scores[:, None])]]


def tracked_record(result: Poses) -> list[Any]:
    """PaddleDetection's layout with the identities of the people as a fourth part, for videos."""
    return [*paddledet_record(result), [person.id for person in result]]


def named_record(result: Poses) -> dict[str, Any]:
    """One image or frame with names; see `PoseResult.to_dict`."""
    return result.to_dict()


LAYOUTS = {"paddledet": paddledet_record, "paddledet_tracked": tracked_record, "named": named_record}


class JsonResultsWriter(PoseWriter):
    """Writes pose results, one at a time.

    Args:
        path: the file.
        layout: "paddledet", "paddledet_tracked" or "named".
    """

    def __init__(self, path: str | Path, layout: str = "paddledet") -> None:
        super().__init__(path)
        self._record = LAYOUTS[layout]

    def _open(self, temporary: Path) -> None:
        self._list = JsonList(self._stack.enter_context(temporary.open("w", encoding="utf-8", newline="\n")))

    def _write(self, result: Poses, video: str | None) -> None:
        record = self._record(result)
        self._list.append({"video": video, **record} if video is not None and isinstance(record, dict) else record)

    def append(self, entry: Any) -> None:
        """Write an entry of one's own."""
        try:
            self._list.append(entry)
        except OSError as error:
            raise self._failed(error) from error
        self.count += 1

    def _finish(self) -> None:
        self._list.end()


class NamedJsonWriter(JsonResultsWriter):
    """The layout with names, as one of the formats that `formats.table` lists."""

    def __init__(self, path: str | Path, options: FormatOptions | None = None) -> None:
        super().__init__(path, "named")
