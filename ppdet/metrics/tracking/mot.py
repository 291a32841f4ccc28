"""MOTA, IDF1 and their parts of a tracker, by the library motmetrics.

Legend: T people of a frame found, N annotated, F frames.

Protocol: Bernardin and Stiefelhagen, CLEAR MOT, 2008; Ristani et al., ECCV workshops 2016; https://motchallenge.net.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ppdet.annotations.tracking_labels import MotRows, read_mot_truth
from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError, DataError
from ppdet.core.extras import install_extra
from ppdet.geometry.assignment import assign
from ppdet.geometry.boxes import iou_matrix
from ppdet.inference.files.mot_rows import MotRowsWriter

FIGURES = {
    "MOTA": "mota", "IDF1": "idf1", "IDP": "idp", "IDR": "idr", "Rcll": "recall", "Prcn": "precision", "GT": "num_unique_objects",
    "MT": "mostly_tracked", "PT": "partially_tracked", "ML": "mostly_lost", "FP": "num_false_positives", "FN": "num_misses",
    "IDs": "num_switches", "FM": "num_fragmentations", "MOTP": "motp",
}  # fmt: skip
"""Our names to motmetrics'. MOTP is the mean of 1 - IoU of the matches, as motmetrics has it."""
LEAST_IOU = 0.5
RESULTS = "mot_results"
OVERALL = "OVERALL"


@register
class MOTMetric:
    """Figures of each sequence with a truth, and of all together.

    Every frame of a sequence counts, also those in which nothing was found (PaddleDetection leaves these out, so that a tracker
    that finds nobody in them loses nothing). People of a class that is ignored (on a vehicle, a reflection and so on) neither
    count nor are they missed: who was found is matched with everybody annotated first, and matches with them are left out.

    Args:
        anno_file: folder of the sequences; not used, they tell their truth.
        output_eval: folder for `mot_results/<sequence>.txt` (MOTChallenge's rows); None writes none.
        save_prediction_only: write these and skip the evaluation.

    Raises:
        ConfigError: motmetrics is not installed.
    """

    __shared__ = ["save_prediction_only"]
    main = "MOTA"
    result_file = RESULTS

    def __init__(
        self, anno_file: str | Path = "", output_eval: str | Path | None = None, save_prediction_only: bool = False
    ) -> None:
        if not save_prediction_only and find_spec("motmetrics") is None:
            raise ConfigError("MOTA and IDF1 are computed by motmetrics, which is not installed here: pip install motmetrics, or "
                              f"{install_extra('mot')}; save_prediction_only: true writes the results without them")  # fmt: skip
        self.output_eval = None if output_eval is None else Path(output_eval)
        self.save_prediction_only = bool(save_prediction_only)
        self.stats: dict[str, dict[str, float]] = {}
        self.reset()

    def reset(self) -> None:
        """Discard all that was collected."""
        self._sequences: dict[str, dict[str, Any]] = {}

    def update(self, sequence: Mapping[str, Any]) -> None:
        """Collect the tracks of a sequence.

        Args:
            sequence: "name"; "frames", how many there are; "truth", path of its gt.txt or None; and one row per person and frame:
                "frame" (R,) from 1 on, "identity" (R,), "boxes" (R, 4) xyxy and "scores" (R,).
        """
        self._sequences[str(sequence["name"])] = dict(sequence)

    def state(self) -> list[dict[str, Any]]:
        """The collected sequences, for another process."""
        return list(self._sequences.values())

    def merge(self, states: Sequence[list[dict[str, Any]]]) -> None:
        """Add the `state()` of other processes."""
        for state in states:
            for sequence in state:
                self.update(sequence)

    def compute(self) -> dict[str, float]:
        """The figures of all sequences together; empty with `save_prediction_only`.

        Raises:
            DataError: no sequence has a truth.
        """
        self._write()
        if self.save_prediction_only:
            return {}
        with_truth = {name: each for name, each in sorted(self._sequences.items()) if each["truth"] is not None}
        if not with_truth:
            raise DataError(f"none of the {len(self._sequences)} sequences has a gt/gt.txt, so nothing can be evaluated; "
                            "-o save_prediction_only=true writes the tracks alone")  # fmt: skip
        accumulators = [accumulated(each, read_mot_truth(each["truth"])) for each in with_truth.values()]
        self.stats = _figures(list(with_truth), accumulators)
        return dict(self.stats[OVERALL])

    def report(self) -> str:
        """A markdown table with a row per sequence."""
        if not self.stats:
            return "no evaluation was made"
        names = list(FIGURES)
        rows = ["| sequence | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
        rows += [f"| {name} | " + " | ".join(_text(each[figure]) for figure in names) + " |" for name, each in self.stats.items()]
        without = [name for name, each in self._sequences.items() if each["truth"] is None]
        return "\n".join(rows + ([f"note: without gt/gt.txt and not evaluated: {', '.join(sorted(without))}"] if without else []))

    def _write(self) -> None:
        if self.output_eval is None:
            return
        folder = self.output_eval / RESULTS
        folder.mkdir(parents=True, exist_ok=True)
        for name, each in self._sequences.items():
            with MotRowsWriter(folder / f"{name}.txt") as writer:
                for frame in np.unique(each["frame"]):
                    rows = each["frame"] == frame
                    writer.add_boxes(int(frame), each["identity"][rows], each["boxes"][rows], each["scores"][rows])


def accumulated(sequence: Mapping[str, Any], truth: MotRows) -> Any:
    """motmetrics' accumulator of a sequence, see `MOTMetric.update`."""
    import motmetrics

    accumulator = motmetrics.MOTAccumulator()
    last = max(int(sequence["frames"]), int(truth.frames.max(initial=0)))
    for frame in range(1, last + 1):
        found = np.flatnonzero(sequence["frame"] == frame)
        rows = np.flatnonzero(truth.frames == frame)
        boxes = sequence["boxes"][found]
        kept = _not_ignored(boxes, truth.boxes[rows], truth.ignored[rows])
        found, rows = found[kept], rows[~truth.ignored[rows]]
        overlap = iou_matrix(truth.boxes[rows], sequence["boxes"][found])
        distance = np.where(overlap >= LEAST_IOU, 1 - overlap, np.nan)
        accumulator.update(truth.identities[rows].tolist(), sequence["identity"][found].tolist(), distance, frameid=frame)
    return accumulator


def _not_ignored(boxes: np.ndarray, truth: np.ndarray, ignored: np.ndarray) -> np.ndarray:
    """(T,) bool: boxes that are not matched with somebody who is ignored."""
    keep = np.ones(len(boxes), bool)
    if not ignored.any() or not len(boxes):
        return keep
    overlap = iou_matrix(boxes, truth)
    rows, columns = assign(-np.where(overlap >= LEAST_IOU, overlap, 0.0))
    keep[rows[ignored[columns] & (overlap[rows, columns] >= LEAST_IOU)]] = False
    return keep


def _figures(names: list[str], accumulators: list[Any]) -> dict[str, dict[str, float]]:
    import motmetrics

    table = motmetrics.metrics.create().compute_many(
        accumulators, names=names, metrics=list(FIGURES.values()), generate_overall=True
    )
    return {str(name): {ours: float(row[theirs]) for ours, theirs in FIGURES.items()} for name, row in table.iterrows()}


def _text(value: float) -> str:
    return f"{value:.3f}" if value != int(value) or abs(value) <= 1 else str(int(value))
