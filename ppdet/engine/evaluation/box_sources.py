"""Evaluates one model with several sources of person boxes, side by side.

The AP of a top-down model depends on the source of its boxes more than on most of what papers compare: annotated boxes give
about two AP more than a detector's. The command prints both, and each row states the setting.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Mapping, Sequence

from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError
from ppdet.core.files import atomic_write, require_folder
from ppdet.core.logger import get_logger
from ppdet.engine import distributed
from ppdet.engine.assembly import Assembly
from ppdet.engine.components import import_components
from ppdet.engine.configs.check import require_sound
from ppdet.engine.device import choose_device
from ppdet.engine.evaluation.acceleration import accelerated
from ppdet.engine.evaluation.evaluator import Evaluator
from ppdet.engine.precision import Precision
from ppdet.engine.tasks.exported_model import ExportedModel
from ppdet.engine.tasks.setting import decoder_text, flip_text, wants_flip_test
from ppdet.engine.weights.load import load_model
from ppdet.inference.runtimes.registry import AUTO
from ppdet.metrics.coco_evaluation import KEYPOINT_STATS
from ppdet.metrics.landmarks.figure_names import is_figure_name

logger = get_logger(__name__)

FIGURES = ("AP", "AP50", "AP75", "AR")
RESULT_FILE = "box_protocols.json"
OPTIONS: Mapping[str, Sequence[str]] = {
    "gt": ("EvalDataset.use_gt_bbox=true", "EvalDataset.select_data=false"),
    "gt_select": ("EvalDataset.use_gt_bbox=true", "EvalDataset.select_data=true"),
    "det": ("EvalDataset.use_gt_bbox=false", "EvalDataset.select_data=false"),
}
"""Box sources by their names on the command line."""


@dataclass(frozen=True)
class ProtocolRow:
    """One row of the table: the boxes, the setting, and the figures (0 to 1)."""

    source: str
    boxes: int
    threshold: str
    flip: str
    decoder: str
    figures: Mapping[str, float]


def compare_boxes(
    config_file: str | Path,
    overrides: Sequence[str],
    sources: Sequence[str],
    output_eval: str | Path | None = None,
    amp: bool = False,
    exported: dict[str, Any] | None = None,
    engine: str = AUTO,
) -> list[ProtocolRow]:
    """Evaluate one model once per source of boxes and print the table.

    Args:
        config_file: a top-down config with a COCO-style EvalDataset.
        overrides: options; "det" uses `EvalDataset.bbox_file` and `EvalDataset.image_thre`.
        sources: some of "gt" (annotated boxes), "gt_select" (those that select_data keeps) and "det" (the detector's).
        output_eval: folder for `SOURCE/keypoints_results.json` of each, and the table as `box_protocols.json`.
        amp: mixed precision.
        exported: arguments of `ExportedModel`, to evaluate an exported folder instead of the weights.
        engine: runs the network of the weights; see `acceleration.accelerated`.

    Raises:
        ConfigError: an unknown source, or a config whose dataset cannot change its boxes.
    """
    for source in sources:
        if source not in OPTIONS:
            raise ConfigError(f"--boxes: unknown source {source!r}; known: {', '.join(OPTIONS)}")
    if output_eval is not None:
        require_folder(output_eval, "--output_eval")
    plain = load_config(config_file, overrides)
    _check(plain)
    require_sound(plain, import_components(plain))  # logs the warnings, which Assembly does not
    assemblies = {source: Assembly(load_config(config_file, [*overrides, *OPTIONS[source]])) for source in dict.fromkeys(sources)}
    choose_device(plain)
    distributed.start()
    for assembly in assemblies.values():
        len(assembly.dataset("Eval"))  # report a missing box file now, not after hours of evaluation
    first = next(iter(assemblies.values()))
    precision = Precision.from_config(plain, amp)
    with ExitStack() as stack:
        if exported is None:
            model = stack.enter_context(accelerated(first, load_model(first), engine, precision))
        else:
            model = ExportedModel(**exported)
        rows = []
        for source, assembly in assemblies.items():
            metric = assembly.metric(None if output_eval is None else Path(output_eval) / source)
            figures = Evaluator(assembly, model, metric=metric, precision=precision).run()
            rows.append(_row(source, assembly, model, figures))
    if distributed.is_main():
        logger.info("the same model with each source of boxes\n%s", protocol_table(rows))
        if output_eval is not None:
            _write(Path(output_eval) / RESULT_FILE, rows)
    return rows


def protocol_table(rows: Sequence[ProtocolRow]) -> str:
    """The rows as a Markdown table."""
    names = [name for name in FIGURES if any(name in row.figures for row in rows)]
    names += [name for row in rows[:1] for name in row.figures if name not in KEYPOINT_STATS]
    header = ("box source", "boxes", "threshold", "flip test", "decoder", *names)
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    for row in rows:
        facts = (row.source, str(row.boxes), row.threshold, row.flip, row.decoder)
        values = tuple(f"{row.figures[name]:.3f}" if name in row.figures else "-" for name in names)
        lines.append("| " + " | ".join((*facts, *values)) + " |")
    return "\n".join(lines)


def _check(config: Mapping[str, Any]) -> None:
    metric = config.get("metric")
    if metric != "KeyPointTopDownCOCOEval" and not isinstance(metric, list) and not is_figure_name(metric):
        raise ConfigError(
            f"--boxes compares the boxes that keypoints are found in, which the metric {config.get('metric')} does not ask for; "
            "give a top-down config with metric KeyPointTopDownCOCOEval"
        )


def _row(source: str, assembly: Assembly, model: Any, figures: Mapping[str, float]) -> ProtocolRow:
    dataset, codec = assembly.dataset("Eval"), assembly.codec
    names = {"gt": "annotated", "gt_select": "annotated, select_data", "det": f"detector, {Path(str(dataset.bbox_file)).name}"}
    assert codec is not None, "a top-down config has one"
    flip = flip_text(codec, wants_flip_test(assembly.config, model)).replace("flip test ", "")
    threshold = f"{dataset.image_thre:g}" if source == "det" else "-"
    return ProtocolRow(names[source], len(dataset), threshold, flip, decoder_text(codec), figures)


def _write(path: Path, rows: Sequence[ProtocolRow]) -> None:
    with atomic_write(path, "w") as file:
        json.dump([asdict(row) for row in rows], file, indent=1)
    logger.info("written to %s", path)
