"""Streams results to JSON files, so that a video of any length needs no memory.

Two layouts: PaddleDetection's nested lists, which scripts out there read, and one with names.
"""
from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ppdet.core.files import atomic_write
from ppdet.inference.results import PoseResult, rounded


def paddledet_record(result: PoseResult) -> list[Any]:
    """One image or frame in PaddleDetection's layout.

    `[path or frame number, [[xmin, ymin, xmax, ymax], ...], [[[[x, y, score], ...K], ...N], [[mean score], ...N]]]`; a
    picture without people has empty lists, where PaddleDetection leaves it out.
    """
    rows = np.concatenate([result.keypoints, result.scores[..., None]], axis=2) if len(result) else []
    name = result.path if result.frame_id is None else result.frame_id
    return [
        name,
        [rounded(box) for box in result.boxes],
        [[[rounded(row) for row in person] for person in rows], [rounded([score]) for score in result.person_scores]],
    ]


def named_record(result: PoseResult) -> dict[str, Any]:
    """One image or frame with names; see `PoseResult.to_dict`."""
    return result.to_dict()


LAYOUTS = {"paddledet": paddledet_record, "named": named_record}


class JsonResultsWriter:
    """Writes a JSON list of results, one at a time; the file appears, whole, when the block ends without an error.

    Args:
        path: the file.
        layout: "paddledet" or "named".
    """

    def __init__(self, path: str | Path, layout: str = "paddledet") -> None:
        self.path = Path(path)
        self.count = 0
        self._record = LAYOUTS[layout]
        self._stack = ExitStack()

    def __enter__(self) -> JsonResultsWriter:
        self._stream = self._stack.enter_context(atomic_write(self.path, "w"))
        self._stream.write("[")
        return self

    def add(self, result: PoseResult) -> None:
        """Append one image or frame."""
        self._stream.write(",\n" if self.count else "\n")
        self._stream.write(json.dumps(self._record(result), ensure_ascii=False))
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if kind is None:
            self._stream.write("\n]\n")
        return self._stack.__exit__(kind, error, trace)
