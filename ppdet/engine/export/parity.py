"""Compares an exported model with the framework by its final keypoints and boxes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np

from ppdet.core.errors import PpdetError
from ppdet.engine.tasks.base import Task
from ppdet.engine.tasks.deployed_form import DeployedForm
from ppdet.engine.tasks.difference import SCORE_FLOOR, TOLERANCE_OUTPUT, TOLERANCE_PX, TOLERANCE_SCORE, Difference
from ppdet.engine.tasks.table import task_of_kind
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes.base import Runtime
from ppdet.inference.runtimes.model_files import ModelFiles, find_model_files
from ppdet.inference.runtimes.registry import available_runtimes, load_runtime

REFERENCE_BATCH, ENGINE_BATCH = 8, 3


@dataclass
class EngineResult:
    """Difference of one engine from the framework.

    Attributes:
        engine: name of the engine; see `runtime_names`.
        status: "ok", "differs", "failed" (it could not run the model) or "absent" (not installed, or no file for it).
        compared, unmatched, max_px, mean_px, max_score, max_output: see `Difference`.
        note: description of the engine and further remarks, or why it did not run.
    """

    engine: str
    status: str
    compared: int = 0
    unmatched: int = 0
    max_px: float = 0.0
    mean_px: float = 0.0
    max_score: float = 0.0
    max_output: float | None = None
    note: str = ""

    @classmethod
    def of(cls, engine: str, description: str, difference: Difference) -> EngineResult:
        """The result of an engine that ran, with its status."""
        figures = asdict(difference)
        figures["note"] = description + difference.note
        result = cls(engine, "ok", **figures)
        result.judge()
        return result

    def judge(self) -> None:
        """Set `status` from the figures."""
        agrees = self.max_px <= TOLERANCE_PX and self.max_score <= TOLERANCE_SCORE and not self.unmatched
        agrees = agrees and (self.max_output is None or self.max_output <= TOLERANCE_OUTPUT)
        self.status = "ok" if agrees else "differs"
        if not self.compared:
            weak = "nothing scored above the floor (untrained weights?)"
            self.note += f"; {weak}" + ("" if self.max_output is not None else ", so this says little")


@dataclass
class ParityReport:
    """Results of all engines on the same samples."""

    model: str
    samples: int
    origin: str
    engines: list[EngineResult] = field(default_factory=list)

    @property
    def failed(self) -> list[EngineResult]:
        """Engines that differ or could not run."""
        return [result for result in self.engines if result.status in ("differs", "failed")]

    @property
    def warnings(self) -> list[str]:
        """Reasons why a report without failures may prove little."""
        ran = [result for result in self.engines if result.status in ("ok", "differs")]
        if not ran or any(result.compared for result in ran):
            return []
        return [
            f"nothing scored above {SCORE_FLOOR} on {self.samples} {self.origin}, so no final point was compared. Are these the "
            "weights of this config (same input size, trained)?"
        ]

    def to_dict(self) -> dict[str, Any]:
        """Content of export_report.json."""
        limits = {
            "px": TOLERANCE_PX, "score": TOLERANCE_SCORE, "output": TOLERANCE_OUTPUT, "score_floor": SCORE_FLOOR,
        }  # fmt: skip
        return {"passed": not self.failed, "warnings": self.warnings, "tolerance": limits, **asdict(self)}

    def to_markdown(self) -> str:
        """Content of export_report.md."""
        rows = [
            f"# Export report: {self.model}",
            "",
            f"Framework against each engine on {self.samples} {self.origin}, float32. Points with a framework score above "
            f"{SCORE_FLOOR} must agree within {TOLERANCE_PX} px, all scores within {TOLERANCE_SCORE}, and the network's outputs "
            f"within {TOLERANCE_OUTPUT} of their largest value.",
            "",
            *(line for text in self.warnings for line in (f"**Warning:** {text}", "")),
            "| engine | result | compared | unmatched | max px | mean px | max score difference | max output difference | |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for r in self.engines:
            output = "-" if r.max_output is None else f"{r.max_output:.1e}"
            figures = (
                f"{r.compared} | {r.unmatched} | {r.max_px:.5f} | {r.mean_px:.5f} | {r.max_score:.1e} | {output}"
                if r.status in ("ok", "differs")
                else "- | - | - | - | - | -"
            )
            rows.append(f"| {r.engine} | {r.status} | {figures} | {r.note} |")
        return "\n".join(rows) + "\n"


def check_parity(
    model_dir: str | Path, form: DeployedForm, samples: Sequence[Any], origin: str, cpu_threads: int = 2
) -> ParityReport:
    """Run every installed engine that can read one of the files on the samples, and compare it with the framework.

    Args:
        model_dir: exported directory.
        form: the same model in the framework.
        samples: (image, boxes) pairs.
        origin: origin of the samples, for the report.
        cpu_threads: of the engines.
    """
    report = ParityReport(str(form.card.extra.get("model_name", Path(model_dir).name)), len(samples), origin)
    task = task_of_kind(form.card.kind)
    reference = _Run(task, form.runtime(), form.card, samples, REFERENCE_BATCH)
    card = ModelCard.load(model_dir)
    for runtime in sorted(available_runtimes(), key=_reads_onnx):  # Paddle's own first
        found = find_model_files(model_dir)
        report.engines.append(_check_engine(task, runtime, found, card, samples, reference, cpu_threads))
    return report


def _reads_onnx(runtime: type[Runtime]) -> bool:
    return "onnx" in runtime.reads


def _check_engine(
    task: Task,
    runtime_class: type[Runtime],
    files: ModelFiles,
    card: ModelCard,
    samples: Sequence[Any],
    reference: _Run,
    cpu_threads: int,
) -> EngineResult:
    engine = runtime_class.engine
    # An engine that reads both formats is tested with the ONNX file, which is what it gets in deployment.
    if _reads_onnx(runtime_class) and files.onnx is None:
        return EngineResult(engine, "absent", note="needs model.onnx (export with --onnx)")
    if not runtime_class.can_read(files):
        return EngineResult(engine, "absent", note=f"reads {' or '.join(runtime_class.reads)}, which is not there")
    if not runtime_class.is_installed():
        return EngineResult(engine, "absent", note=f"{runtime_class.package} is not installed")
    try:
        runtime = load_runtime(files.folder, engine=engine, cpu_threads=cpu_threads, precision="fp32")
        found = _Run(task, runtime, card, samples, ENGINE_BATCH)
    except Exception as error:  # engines raise their own exceptions; each of them means that the model cannot be run
        kind = "" if isinstance(error, PpdetError) else f"{type(error).__name__}: "
        return EngineResult(engine, "failed", note=kind + " ".join(str(error).split()))
    return _result(task, runtime, reference, found)


def compare_with_framework(form: DeployedForm, runtime: Runtime, samples: Sequence[Any]) -> EngineResult:
    """Difference between an engine that is already loaded and the framework, on (image, boxes) samples.

    Args:
        form: the model in the framework.
        runtime: an engine with the graph of that form.
        samples: see `parity_samples`.
    """
    task = task_of_kind(form.card.kind)
    reference = _Run(task, form.runtime(), form.card, samples, REFERENCE_BATCH)
    return _result(task, runtime, reference, _Run(task, runtime, form.card, samples, ENGINE_BATCH))


def _result(task: Task, runtime: Runtime, reference: _Run, found: _Run) -> EngineResult:
    difference = task.compare(reference.predictions, found.predictions)
    differences = [difference.max_output, output_difference(reference.outputs, found.outputs)]
    difference.max_output = max((each for each in differences if each is not None), default=None)
    return EngineResult.of(runtime.engine, runtime.description, difference)


class _Run(Runtime):
    """Predictions of one engine on all samples, and the raw outputs of its network."""

    def __init__(self, task: Task, runtime: Runtime, card: ModelCard, samples: Sequence[Any], batch_size: int) -> None:
        self._task, self._runtime = task, runtime
        self.input_names, self.fixed_batch = runtime.input_names, runtime.fixed_batch
        self.outputs: list[list[np.ndarray]] = []
        self.predictions = task.predictions(self, card, samples, batch_size)

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the engine, and keep the outputs that are compared."""
        outputs = self._runtime.run(feeds)
        self.outputs.append(self._task.stable_outputs(outputs))
        return outputs


def output_difference(reference: list[list[np.ndarray]], found: list[list[np.ndarray]]) -> float | None:
    """Largest difference of the outputs that have a batch axis, as a fraction of their largest value.

    Args:
        reference, found: outputs of all runs of a network; batches may be split differently.

    Returns:
        None if there is no such output, infinity if the shapes differ.
    """
    worst = None
    for ours, theirs in zip(zip(*reference), zip(*found)):
        if ours[0].ndim < 3:  # indices of peaks, or rows after NMS
            continue
        ours_whole, theirs_whole = np.concatenate(ours), np.concatenate(theirs)
        if ours_whole.shape != theirs_whole.shape:
            return float("inf")
        largest = max(float(np.abs(ours_whole).max(initial=0)), 1e-30)
        worst = max(worst or 0.0, float(np.abs(ours_whole - theirs_whole).max(initial=0)) / largest)
    return worst
