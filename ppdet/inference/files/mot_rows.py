"""Boxes with identities as MOTChallenge text."""
from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np

from ppdet.core.errors import MediaError
from ppdet.core.files import atomic_write
from ppdet.inference.results import PoseResult


class MotRowsWriter:
    """Writes `frame,id,x1,y1,w,h,score,-1,-1,-1`, one row per person and frame; frames count from 1.

    Frames without people leave no row. The file appears when the block ends, with what was written until then.

    Args:
        path: the file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._rows: list[str] = []

    def add(self, result: PoseResult) -> None:
        """Append the people of a frame."""
        if result.track_ids is not None:
            self.add_boxes(int(result.frame_id or 0), result.track_ids, result.boxes, result.box_scores)

    def add_boxes(self, frame: int, identities: np.ndarray, boxes_xyxy: np.ndarray, scores: np.ndarray) -> None:
        """Append (T,) identities with (T, 4) boxes and (T,) scores of a frame."""
        for identity, (x1, y1, x2, y2), score in zip(identities.tolist(), boxes_xyxy.tolist(), scores.tolist()):
            self._rows.append(f"{frame},{identity},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{score:.4f},-1,-1,-1\n")

    def __enter__(self) -> MotRowsWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, Exception):
            return
        try:
            with atomic_write(self.path, "w") as stream:
                stream.writelines(self._rows)
        except OSError as problem:
            raise MediaError(f"cannot write {self.path}: {problem.strerror or problem}; choose another --output_dir") from problem
