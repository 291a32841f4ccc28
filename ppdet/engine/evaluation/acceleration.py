"""Evaluates weights faster on a CPU: an engine runs the network's graph, if it predicts what the framework predicts.

The codec, the metric and everything else of the evaluation stay the same. ONNX Runtime and OpenVINO run the light networks
several times as fast as Paddle (docs/benchmarks.md).
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

import paddle

from ppdet.core.errors import ConfigError, PpdetError
from ppdet.core.logger import get_logger
from ppdet.engine import distributed
from ppdet.engine.assembly import Assembly
from ppdet.engine.device import cpu_threads
from ppdet.engine.export.onnx_conversion import convert_to_onnx
from ppdet.engine.export.paddle_program import save_program
from ppdet.engine.export.parity import compare_with_framework
from ppdet.engine.export.parity_samples import parity_samples
from ppdet.engine.precision import Precision
from ppdet.engine.tasks.deployed_form import DeployedForm
from ppdet.engine.tasks.exported_model import ExportedModel
from ppdet.inference.runtimes.registry import AUTO

logger = get_logger(__name__)

FRAMEWORK = "paddle"
"""Value of ``--engine`` for an evaluation by the framework itself."""
MIN_SAMPLES = 100  # conversion and comparison take some seconds, in which the framework evaluates about as many
COMPARED = 4


@contextmanager
def accelerated(
    assembly: Assembly, model: Any, engine: str = AUTO, precision: Precision | None = None
) -> Iterator[Any]:
    """The model to evaluate: its graph in an engine where that is faster and the same, otherwise the model itself.

    Args:
        assembly: of the config; its EvalDataset decides whether the conversion is worth its time.
        model: the network with its weights.
        engine: "auto"; "paddle" for the framework; or the engine to use, whatever the size of the dataset.
        precision: of the evaluation. Mixed precision stays with the framework.

    Yields:
        An `ExportedModel`, or `model`. Log lines say which, and why.

    Raises:
        ConfigError: an engine was asked for by name that cannot take part in this evaluation.
    """
    reason = _reason_against(assembly, engine, precision)
    if reason is not None:
        if engine not in (AUTO, FRAMEWORK):
            raise ConfigError(f"--engine {engine}: {reason}. Leave it out, or give --engine {FRAMEWORK}.")
        yield model
        return
    with tempfile.TemporaryDirectory(prefix="ppdet_eval_") as folder:
        exported = _in_engine(assembly, model, engine, Path(folder))
        yield model if exported is None else exported


def _reason_against(assembly: Assembly, engine: str, precision: Precision | None) -> str | None:
    """Why the framework evaluates; None if an engine may."""
    if engine == FRAMEWORK:
        return "the framework was asked for"
    if paddle.get_device() != "cpu":
        return "engines replace the framework on a CPU only"
    if precision is not None and precision.enabled:
        return "mixed precision is the framework's"
    if distributed.world_size() > 1:
        return "several processes evaluate with the framework"
    if engine == AUTO and len(assembly.dataset("Eval")) < MIN_SAMPLES:
        return f"fewer than {MIN_SAMPLES} samples"
    return None


def _in_engine(assembly: Assembly, model: Any, engine: str, folder: Path) -> ExportedModel | None:
    """The model's graph in an engine; None, with a log line, if that fails or predicts something else."""
    try:
        form = assembly.task.evaluated_form(assembly, model)
        if form is None:
            raise ConfigError("this evaluation needs more than the exported graph (flip test, scales or fused normalisation)")
        _write(form, folder)
        exported = ExportedModel(folder, engine=engine, cpu_threads=cpu_threads(assembly.config))
        samples, _ = parity_samples(assembly, COMPARED)
        result = compare_with_framework(form, exported.runtime, samples)
        if result.status != "ok":
            differs = f"{result.max_px:.3f} px, scores {result.max_score:.1e}"
            raise ConfigError(f"its predictions differ from the framework's by {differs}")
    except PpdetError as error:
        if engine != AUTO:
            raise ConfigError(f"--engine {engine}: {error}") from error
        logger.info("evaluated by the framework; an engine cannot stand in: %s", error)
        return None
    exported.flip = getattr(model, "flip", True)
    logger.info(
        "evaluated as an exported graph by %s, which agrees with the framework within %.4f px on %d samples (--engine %s: by the "
        "framework)", exported.runtime.description, result.max_px, len(samples), FRAMEWORK,
    )  # fmt: skip
    return exported


def _write(form: DeployedForm, folder: Path) -> None:
    graph = form if form.onnx is None else form.onnx
    program, weights = save_program(graph.layer, graph.input_spec, folder, "model")
    convert_to_onnx(program, weights, folder / "model.onnx", graph.output_names)
    form.card.write(folder, "infer_cfg.yml")
