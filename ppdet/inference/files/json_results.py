"""Streams results to JSON files, so that memory does not grow with the length of a video.

Two layouts: PaddleDetection's nested lists, which existing scripts read, and one with names.
"""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ppdet.inference.files.json_list import JsonListWriter
from ppdet.inference.person import rounded
from ppdet.inference.results import PoseResult


def paddledet_record(result: PoseResult) -> list[Any]:
    """One image or frame in PaddleDetection's layout.

    `[path or frame number, [[xmin, ymin, xmax, ymax], ...], [[[[x, y, score], ...K], ...N], [[mean score], ...N]]]`; an image
    without people has empty lists, while PaddleDetection omits it.
    """
    rows = np.concatenate([result.keypoints, result.scores[..., None]], axis=2)
    name = result.path if result.frame_id is None else result.frame_id
    return [
        name,
        [rounded(box) for box in result.boxes],
        [[[rounded(row) for row in person] for person in rows], [rounded([score]) for score in result.person_scores]],
    ]


def tracked_record(result: PoseResult) -> list[Any]:
    """PaddleDetection's layout with the identities of the people as a fourth part, for videos."""
    return [*paddledet_record(result), [person.id for person in result]]


def named_record(result: PoseResult) -> dict[str, Any]:
    """One image or frame with names; see `PoseResult.to_dict`."""
    return result.to_dict()


LAYOUTS = {"paddledet": paddledet_record, "paddledet_tracked": tracked_record, "named": named_record}


class JsonResultsWriter(JsonListWriter):
    """Writes pose results, one at a time.

    Args:
        path: the file.
        layout: "paddledet", "paddledet_tracked" or "named".
    """

    def __init__(self, path: str | Path, layout: str = "paddledet") -> None:
        super().__init__(path)
        self._record = LAYOUTS[layout]

    def __enter__(self) -> JsonResultsWriter:
        super().__enter__()
        return self

    def add(self, result: PoseResult) -> None:
        """Append one image or frame."""
        self.append(self._record(result))
