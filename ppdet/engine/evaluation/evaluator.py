"""Evaluates a model on the EvalDataset of its config. The task runs the model; this module turns its predictions into figures.

Under `paddle.distributed.launch` each process evaluates its share. Predictions are gathered; samples that were repeated to fill
the last batch count once.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ppdet.core.config.load import Config
from ppdet.core.errors import ConfigError
from ppdet.core.files import require_folder
from ppdet.core.logger import get_logger
from ppdet.engine import distributed
from ppdet.engine.assembly import Assembly
from ppdet.engine.components import import_components
from ppdet.engine.configs.check import require_sound
from ppdet.engine.device import choose_device
from ppdet.engine.evaluation.acceleration import accelerated
from ppdet.engine.precision import Precision
from ppdet.engine.tasks.exported_model import ExportedModel
from ppdet.engine.weights.load import load_model
from ppdet.inference.runtimes.registry import AUTO
from ppdet.metrics.result_file import read_results

logger = get_logger(__name__)

BAD_IMAGES_NAMED = 5


class Evaluator:
    """Runs a model over its evaluation data and computes the metric.

    Args:
        assembly: provides the reader, the metric and the task.
        model: the model with its weights, or an `ExportedModel`.
        reader: the batches, or the dataset, for the task's `collect`; None for those of the config.
        metric: collects the predictions; None for the config's.
        precision: mixed precision of the forward pass; None is float32.

    Attributes:
        setting: after `run`, the settings that the figures depend on, as text: boxes, flip test, decoder, un-warp.
        bad: after `run`, (path, reason) of images that could not be read.
    """

    def __init__(
        self, assembly: Assembly, model: Any, reader: Any = None, metric: Any = None, precision: Precision | None = None
    ) -> None:
        self.assembly, self.model = assembly, model
        self.metric = assembly.metric() if metric is None else metric
        self._reader, self._precision = reader, precision
        self.setting = ""
        self.bad: list[tuple[str, str]] = []

    def run(self) -> dict[str, float]:
        """Evaluate.

        Returns:
            Named figures of the metric, on every process; empty if only predictions are saved.
        """
        started = time.time()
        self.metric.reset()
        self.bad = []
        was_training = bool(getattr(self.model, "training", False))
        self.model.eval()
        try:
            assembly = self.assembly
            collected = assembly.task.collect(assembly, self.model, self.metric, self._reader, self._precision, self.bad)
        finally:
            if was_training:
                self.model.train()
        self.setting = collected.setting
        count = self._gather(collected.samples)
        seconds = max(time.time() - started, 1e-9)
        if distributed.is_main():
            logger.info("Total sample number: %d, average FPS: %.2f", count, count / seconds)
            self._report_bad()
        return self._figures()

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
        """Figures, computed once by the first process, which also writes the result file, and sent to the others."""
        figures = self.metric.compute() if distributed.is_main() else {}
        if figures:
            logger.info("%s\n%s", self.setting, self.metric.report())
        return distributed.gather(figures)[0]


def evaluate(
    config: Config,
    output_eval: str | Path | None = None,
    amp: bool = False,
    json_eval: bool = False,
    exported: dict[str, Any] | None = None,
    engine: str = AUTO,
) -> dict[str, float]:
    """Evaluate the `weights` of a config, or an exported model, on its EvalDataset, as `tools/eval.py` does.

    Args:
        config: a loaded config.
        output_eval: folder for the predictions; None for the config's `output_eval`, without which none are written.
        amp: mixed precision.
        json_eval: score the predictions that an earlier run wrote to `output_eval`, without running a model.
        exported: arguments of `ExportedModel`, to evaluate an exported folder instead of the weights.
        engine: runs the network of the weights; see `acceleration.accelerated`.

    Returns:
        Named figures; empty with `save_prediction_only`.

    Raises:
        PpdetError: config, data or weights do not fit together.
    """
    choose_device(config)
    distributed.start()
    folder = output_eval or config.get("output_eval")
    if isinstance(folder, (str, Path)) and not json_eval:
        require_folder(folder, "output_eval")
    if distributed.is_main():
        require_sound(config, import_components(config))  # logs the warnings, which Assembly does not
    assembly = Assembly(config)
    if json_eval:
        return _evaluate_file(assembly, output_eval or config.get("output_eval") or config.get("save_dir") or ".")
    if config.get("save_prediction_only") and not (output_eval or config.get("output_eval")):
        output_eval = config.get("save_dir") or "output"
    metric = assembly.metric(output_eval)
    precision = Precision.from_config(config, amp)
    if exported is not None:
        return Evaluator(assembly, ExportedModel(**exported), metric=metric, precision=precision).run()
    with accelerated(assembly, load_model(assembly), engine, precision) as model:
        return Evaluator(assembly, model, metric=metric, precision=precision).run()


def _evaluate_file(assembly: Assembly, folder: str | Path) -> dict[str, float]:
    metric = assembly.metric()
    if not hasattr(metric, "score"):
        raise ConfigError(f"--json_eval: {type(metric).__name__} has no way to score a file; evaluate the weights again.")
    figures = metric.score(read_results(folder, metric.result_file))
    logger.info("figures of the predictions in %s\n%s", folder, metric.report())
    return figures
