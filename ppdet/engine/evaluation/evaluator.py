"""Evaluate a model on the EvalDataset of its config: keypoint AP of top-down and bottom-up models, box AP of detectors.

Under `paddle.distributed.launch` every process evaluates its share; the predictions are gathered and every sample
counts once, however the sampler padded.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Iterator

import numpy as np

from ppdet.codecs import Codec
from ppdet.core.config.load import Config
from ppdet.core.errors import ConfigError
from ppdet.core.files import require_folder
from ppdet.core.logger import get_logger
from ppdet.engine import distributed
from ppdet.engine.assembly import Assembly
from ppdet.engine.device import choose_device
from ppdet.engine.evaluation.setting import box_setting, pose_setting, precision_text, wants_flip_test
from ppdet.engine.precision import Precision
from ppdet.engine.tasks.bottom_up_evaluation import collect_bottom_up
from ppdet.engine.tasks.bottom_up_prediction import bottom_up_estimator, bottom_up_setting
from ppdet.engine.tasks.box_evaluation import box_detector, collect_boxes
from ppdet.engine.tasks.exported_model import ExportedModel
from ppdet.engine.tasks.pose_prediction import PosePredictor
from ppdet.engine.weights.load import model_with_weights
from ppdet.metrics.result_file import read_results

logger = get_logger(__name__)

SECONDS_BETWEEN_PROGRESS = 10.0
BAD_IMAGES_NAMED = 5


class Evaluator:
    """Runs a model over its evaluation data and computes the metric.

    Args:
        assembly: builds reader and metric; holds codec and skeleton (`ppdet.engine.assembly.Assembly`).
        model: the model with its weights.
        reader: batches to evaluate; None takes the assembly's EvalReader (detectors and bottom-up models take whole images:
            then it is a dataset, None the assembly's EvalDataset).
        metric: collects the predictions; None takes the assembly's.
        precision: mixed precision of the forward pass; None is float32.

    Attributes:
        setting: after `run`, the facts a figure depends on, as text: boxes, flip test, decoder, un-warp.
        bad: after `run`, (path, reason) of images that could not be read.
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
            count = self._collect()
        finally:
            if was_training:
                self.model.train()
        count = self._gather(count)
        seconds = max(time.time() - started, 1e-9)
        if distributed.is_main():
            logger.info("Total sample number: %d, average FPS: %.2f", count, count / seconds)
            self._report_bad()
        return self._figures()

    def _collect(self) -> int:
        codec = self.assembly.codec
        if codec is None:
            return self._collect_boxes()
        return self._collect_bottom_up() if codec.kind == "bottom_up" else self._collect_poses()

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
            self.metric.update(_person_rows(batch, xy, scores, assembly.codec))
        self.bad = list(getattr(reader, "bad", dict(self.bad)).items())
        if self._reader is None and hasattr(reader, "close"):
            reader.close()
        computed = self.model.runtime.description if isinstance(self.model, ExportedModel) else precision_text(self._precision)
        self.setting = pose_setting(assembly.config, getattr(reader, "dataset", None), assembly.codec, flip_test, computed)
        return count

    def _collect_bottom_up(self) -> int:
        estimator = bottom_up_estimator(self.assembly, self.model, self._precision)
        dataset = self.assembly.dataset("Eval") if self._reader is None else self._reader
        counts = list(_with_progress(collect_bottom_up(estimator, dataset, self.metric, self.bad)))
        exported = isinstance(self.model, ExportedModel)
        computed = estimator.runtime.description if exported else precision_text(self._precision)
        self.setting = bottom_up_setting(estimator, self.assembly.config, len(dataset), computed)
        return len(counts)

    def _collect_boxes(self) -> int:
        exported = isinstance(self.model, ExportedModel)
        detector = self.model.box_detector() if exported else box_detector(self.assembly, self.model)
        dataset = self.assembly.dataset("Eval") if self._reader is None else self._reader
        counts = list(_with_progress(collect_boxes(detector, dataset, self.metric, self.bad)))
        self.setting = f"{box_setting(self.assembly.config, detector.card, len(dataset))}; {detector.runtime.description}"
        return counts[-1] if counts else 0

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
            logger.warning("%d images could not be read, their objects count as missed:%s%s", len(self.bad), named, more)

    def _figures(self) -> dict[str, float]:
        """Computed once, by the first process, which also writes the result file; the others are given the figures."""
        figures = self.metric.compute() if distributed.is_main() else {}
        if figures:
            logger.info("%s\n%s", self.setting, self.metric.report())
        return distributed.gather(figures)[0]


def _person_rows(batch: dict[str, Any], xy: np.ndarray, scores: np.ndarray, codec: Codec) -> dict[str, np.ndarray]:
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
    if "xy_input" in batch:
        crop = codec.crop_at(batch["center_xy"], batch["size_wh"], batch["rotation"])
        rows["truth_xy"], rows["visible"] = crop.to_image(batch["xy_input"]), np.asarray(batch["visible"])
    return rows


def _with_progress(reader: Any) -> Iterator[Any]:
    """The items of a reader, with a line from time to time on the first process."""
    total = len(reader) if hasattr(reader, "__len__") else None
    shown = time.time()
    for number, batch in enumerate(reader, start=1):
        yield batch
        now = time.time()
        if distributed.is_main() and now - shown > SECONDS_BETWEEN_PROGRESS:
            logger.info("Eval iter: %d%s", number, f"/{total}" if total else "")
            shown = now


def evaluate(
    config: Config,
    output_eval: str | Path | None = None,
    amp: bool = False,
    json_eval: bool = False,
    exported: dict[str, Any] | None = None,
) -> dict[str, float]:
    """Evaluate the `weights` of a config, or an exported model, on its EvalDataset; what `tools/eval.py` does.

    Args:
        config: a loaded config.
        output_eval: folder for the predictions; None takes the config's `output_eval`, else writes none.
        amp: mixed precision.
        json_eval: compute the figures of predictions written before into `output_eval`, without a model.
        exported: arguments of `ExportedModel`, to evaluate an exported folder instead of the weights.

    Returns:
        Named figures; empty with `save_prediction_only`.

    Raises:
        PpdetError: whatever in config, data or weights does not fit.
    """
    choose_device(config)
    distributed.start()
    folder = output_eval or config.get("output_eval")
    if isinstance(folder, (str, Path)) and not json_eval:
        require_folder(folder, "output_eval")
    assembly = Assembly(config)
    if json_eval:
        return _evaluate_file(assembly, output_eval or config.get("output_eval") or config.get("save_dir") or ".")
    if config.get("save_prediction_only") and not (output_eval or config.get("output_eval")):
        output_eval = config.get("save_dir") or "output"
    metric = assembly.metric(output_eval)
    model = model_with_weights(assembly) if exported is None else ExportedModel(**exported)
    return Evaluator(assembly, model, metric=metric, precision=Precision.from_config(config, amp)).run()


def _evaluate_file(assembly: Assembly, folder: str | Path) -> dict[str, float]:
    metric = assembly.metric()
    if not hasattr(metric, "score"):
        raise ConfigError(f"--json_eval: {type(metric).__name__} has no way to score a file; evaluate the weights again.")
    figures = metric.score(read_results(folder, metric.result_file))
    logger.info("figures of the predictions in %s\n%s", folder, metric.report())
    return figures
