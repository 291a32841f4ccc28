"""A table of people as CSV, one row each; images and frames without people leave no row."""
from __future__ import annotations

import csv
from pathlib import Path

from ppdet.inference.formats.columns import file_columns, file_rows
from ppdet.inference.formats.pose_writer import PoseWriter
from ppdet.inference.formats.poses import Poses
from ppdet.skeletons import Skeleton

DECIMALS = 4


class CsvWriter(PoseWriter):
    """Writes the columns of `file_columns`; coordinates and scores have four decimals, what does not apply is empty."""

    def _open(self, temporary: Path) -> None:
        self._stream = self._stack.enter_context(temporary.open("w", encoding="utf-8", newline=""))
        self._rows: csv.DictWriter | None = None

    def _write(self, result: Poses, video: str | None) -> None:
        rows = self._rows or self._start(result.skeleton)
        for row in file_rows(result, video):
            rows.writerow({name: round(value, DECIMALS) if isinstance(value, float) else value for name, value in row.items()})

    def _start(self, skeleton: Skeleton | None) -> csv.DictWriter:
        self._rows = csv.DictWriter(self._stream, list(file_columns(skeleton)), lineterminator="\n")
        self._rows.writeheader()
        return self._rows

    def _finish(self) -> None:
        if self._rows is None:
            self._start(None)
        self._stream.flush()
