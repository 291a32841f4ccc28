"""Evaluate a model on the EvalDataset of its config: keypoint AP of top-down models, box AP of detectors.

Under `paddle.distributed.launch` every process evaluates its share; the predictions are gathered and every sample
counts once, however the sampler padded.
"""

from __future__ import annotations

import time
from typing import Any, Iterator

import numpy as np

from ppdet.core.logger import get_logger
from ppdet.engine import distributed
from ppdet.engine.evaluation_setting import box_setting, pose_setting, wants_flip_test
from ppdet.engine.pose_prediction import PosePredictor
from ppdet.engine.precision import Precision

logger = get_logger(__name__)

SECONDS_BETWEEN_PROGRESS = 10.0
BAD_IMAGES_NAMED = 5


class Evaluator:
    """Runs a model over its evaluation data and computes the metric.

    Args:
        assembly: builds reader and metric; holds codec and skeleton (`ppdet.engine.assembly.Assembly`).
        model: the model with its weights.
        reader: batches to evaluate; None takes the assembly's EvalReader (detectors: its EvalDataset).
        metric: collects the predictions; None takes the assembly's.
        precision: mixed precision of the forward pass; None is float32.

    Attributes:
        setting: after `run`, the facts a figure depends on, as text: boxes, flip test, decoder, un-warp.
        bad: after `run`, (path, reason) of samples that could not be read.
    """

    def __init__(
        self, assembly: Any, model: Any, reader: Any = None, metric: Any = None, precision: Precision | None = None
    ) -> None:
        self.assembly, self.model = assembly, model
        self.metric = assembly.metric() if metric is None else metric
        self._reader, self._precision = reader, precision
        self.setting = ""
        self.bad: list[tuple[str, str]] = []

    def run(self) -> dict[str, float]:
        """Evaluate.

        Returns:
            Named figures of the metric, on every process; empty when only predictions were asked for.
        """
        started = time.time()
        self.metric.reset()
        self.bad = []
        was_training = bool(getattr(self.model, "training", False))
        self.model.eval()
        try:
            count = self._collect_poses() if self.assembly.codec is not None else self._collect_boxes()
        finally:
            if was_training:
                self.model.train()
        count = self._gather(count)
        seconds = max(time.time() - started, 1e-9)
        if distributed.is_main():
            logger.info("Total sample number: %d, average FPS: %.2f", count, count / seconds)
            self._report_bad()
        return self._figures()

    def _collect_poses(self) -> int:
        assembly = self.assembly
        flip_test = wants_flip_test(assembly.config, self.model)
        predictor = PosePredictor(self.model, assembly.codec, assembly.skeleton, flip_test, self._precision)
        reader = assembly.reader("Eval") if self._reader is None else self._reader
        count = 0
        for batch in _with_progress(reader):
            self.bad += [(str(path), str(reason)) for path, reason in batch.get("bad") or ()]
            if not len(batch.get("image", ())):
                continue
            xy, scores = predictor(batch)
            count += len(xy)
            self.metric.update(_person_rows(batch, xy, scores))
        self.setting = pose_setting(assembly.config, reader, assembly.codec, flip_test, self._precision)
        return count

    def _collect_boxes(self) -> int:
        from ppdet.engine.box_evaluation import collect_boxes

        dataset = self.assembly.dataset("Eval") if self._reader is None else self._reader
        count = collect_boxes(self.assembly, self.model, dataset, self.metric, self.bad)
        self.setting = box_setting(self.assembly.config, count)
        return count

    def _gather(self, count: int) -> int:
        everything = distributed.gather((self.metric.state(), count, self.bad))
        for rank, (state, _, bad) in enumerate(everything):
            if rank != distributed.rank():
                self.metric.merge([state])
                self.bad += [entry for entry in bad if entry not in self.bad]
        return sum(each for _, each, _ in everything)

    def _report_bad(self) -> None:
        if self.bad:
            named = "".join(f"\n  {path}: {reason}" for path, reason in self.bad[:BAD_IMAGES_NAMED])
            more = f"\n  and {len(self.bad) - BAD_IMAGES_NAMED} more" if len(self.bad) > BAD_IMAGES_NAMED else ""
            logger.warning("%d samples could not be read and count as missed:%s%s", len(self.bad), named, more)

    def _figures(self) -> dict[str, float]:
        if not distributed.is_main():
            self.metric.output_eval = None  # one process writes the file
        figures = self.metric.compute()
        if figures and distributed.is_main():
            logger.info("%s\n%s", self.setting, self.metric.report())
        return figures


def _person_rows(batch: dict[str, Any], xy: np.ndarray, scores: np.ndarray) -> dict[str, np.ndarray]:
    size = np.asarray(batch["size_wh"], np.float64)
    rows = {
        "image_id": np.asarray(batch["image_id"]),
        "keypoints": np.concatenate([xy, scores[..., None]], axis=2),
        "box_score": np.asarray(batch["box_score"]),
        # The padded crop, as PaddleDetection and the HRNet authors take it for the suppression of repeated persons.
        "area": size.prod(axis=1),
        "center_xy": np.asarray(batch["center_xy"]),
        "size_wh": size,
    }
    if "index" in batch:
        rows["index"] = np.asarray(batch["index"])
    return rows


def _with_progress(reader: Any) -> Iterator[dict[str, Any]]:
    """The batches of a reader, with a line from time to time on the first process."""
    total = len(reader) if hasattr(reader, "__len__") else None
    shown = time.time()
    for number, batch in enumerate(reader, start=1):
        yield batch
        now = time.time()
        if distributed.is_main() and now - shown > SECONDS_BETWEEN_PROGRESS:
            logger.info("Eval iter: %d%s", number, f"/{total}" if total else "")
            shown = now
