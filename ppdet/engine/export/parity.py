"""Compares an exported model with the framework by its final keypoints and boxes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np

from ppdet.core.errors import ModelDirError, PpdetError
from ppdet.engine.tasks.base import Task
from ppdet.engine.tasks.deployed_form import DeployedForm
from ppdet.engine.tasks.difference import (
    REDUCED,
    SCORE_FLOOR,
    TOLERANCE_OUTPUT,
    TOLERANCE_PX,
    TOLERANCE_SCORE,
    Difference,
    ReducedTolerance,
)
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
        precision: the precision that was requested.
        file: name of the network file.
        compared, unmatched, max_px, mean_px, max_score, max_output, oks: see `Difference`.
        note: description of the engine and further remarks, or why it did not run.
    """

    engine: str
    status: str
    precision: str = "fp32"
    file: str = ""
    compared: int = 0
    unmatched: int = 0
    max_px: float = 0.0
    mean_px: float = 0.0
    max_score: float = 0.0
    max_output: float | None = None
    oks: float | None = None
    note: str = ""

    @classmethod
    def of(cls, engine: str, description: str, difference: Difference, precision: str = "fp32", file: str = "") -> EngineResult:
        """The result of an engine that ran, with its status."""
        figures = asdict(difference)
        figures["note"] = description + difference.note
        result = cls(engine, "ok", precision=precision, file=file, **figures)
        result.judge()
        return result

    def judge(self) -> None:
        """Set `status` from the figures."""
        agrees = self._agrees() if self.precision == "fp32" else self._is_close(REDUCED[self.precision])
        self.status = "ok" if agrees else "differs"
        if not self.compared:
            weak = "nothing scored above the floor (untrained weights?)"
            self.note += f"; {weak}" + ("" if self.max_output is not None else ", so this says little")

    def _agrees(self) -> bool:
        agrees = self.max_px <= TOLERANCE_PX and self.max_score <= TOLERANCE_SCORE and not self.unmatched
        return agrees and (self.max_output is None or self.max_output <= TOLERANCE_OUTPUT)

    def _is_close(self, tolerance: ReducedTolerance) -> bool:
        close = self.unmatched <= max(2, tolerance.unmatched * self.compared)
        return close and (self.mean_px <= tolerance.mean_px if self.oks is None else self.oks >= tolerance.oks)


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
        limits: dict[str, Any] = {
            "px": TOLERANCE_PX, "score": TOLERANCE_SCORE, "output": TOLERANCE_OUTPUT, "score_floor": SCORE_FLOOR,
        }  # fmt: skip
        reduced = {name: asdict(each) for name, each in REDUCED.items() if any(r.precision == name for r in self.engines)}
        limits.update(reduced)
        return {"passed": not self.failed, "warnings": self.warnings, "tolerance": limits, **asdict(self)}

    def to_markdown(self) -> str:
        """Content of export_report.md."""
        rows = [
            f"# Export report: {self.model}",
            "",
            f"Framework in float32 against each engine on {self.samples} {self.origin}. In float32, points with a framework "
            f"score above {SCORE_FLOOR} must agree within {TOLERANCE_PX} px, all scores within {TOLERANCE_SCORE}, and the "
            f"network's outputs within {TOLERANCE_OUTPUT} of their largest value.{_reduced_rules(self.engines)}",
            "",
            *(line for text in self.warnings for line in (f"**Warning:** {text}", "")),
            "| engine | result | precision | file | compared | unmatched | max px | mean px | OKS | max score difference | "
            "max output difference | |",
            "|---|---|---|---|---|---|---|---|---|---|---|---|",
        ]
        for r in self.engines:
            output = "-" if r.max_output is None else f"{r.max_output:.1e}"
            oks = "-" if r.oks is None else f"{r.oks:.4f}"
            figures = (
                f"{r.compared} | {r.unmatched} | {r.max_px:.5f} | {r.mean_px:.5f} | {oks} | {r.max_score:.1e} | {output}"
                if r.status in ("ok", "differs")
                else " | ".join("-" * 7)
            )
            rows.append(f"| {r.engine} | {r.status} | {r.precision} | {r.file or '-'} | {figures} | {r.note} |")
        return "\n".join(rows) + "\n"


class Reference:
    """The framework's predictions on the samples that engines are compared on.

    Args:
        form: the model in the framework.
        samples: (image, boxes) pairs.
        origin: origin of the samples, for the report.
    """

    def __init__(self, form: DeployedForm, samples: Sequence[Any], origin: str = "") -> None:
        self.form, self.samples, self.origin = form, samples, origin
        self.task = task_of_kind(form.card.kind)
        # A detector's suppression is then done in NumPy, as for files that end before it, so that raw outputs can be compared.
        whole = form if form.without_suppression is None else form.without_suppression()
        self.run = _Run(self.task, whole.runtime(), whole.card, samples, REFERENCE_BATCH)

    def compare(self, runtime: Runtime, precision: str = "fp32", file: str = "", card: ModelCard | None = None) -> EngineResult:
        """Run an engine on the samples, and compare it."""
        found = _Run(self.task, runtime, card or self.form.card, self.samples, ENGINE_BATCH)
        difference = self.difference(found)
        return EngineResult.of(runtime.engine, runtime.description, difference, precision, file)

    def difference(self, found: _Run) -> Difference:
        """Difference of an engine's run from the framework's."""
        difference = self.task.compare(self.run.predictions, found.predictions)
        differences = [difference.max_output, output_difference(self.run.outputs, found.outputs)]
        difference.max_output = max((each for each in differences if each is not None), default=None)
        return difference


def check_parity(
    model_dir: str | Path,
    form: DeployedForm,
    samples: Sequence[Any],
    origin: str,
    cpu_threads: int = 2,
    precisions: Sequence[str] = ("fp32",),
    reference: Reference | None = None,
) -> ParityReport:
    """Run every installed engine that can read one of the files on the samples, and compare it with the framework.

    Args:
        model_dir: exported directory.
        form: the same model in the framework.
        samples: (image, boxes) pairs.
        origin: origin of the samples, for the report.
        cpu_threads: of the engines.
        precisions: to run the engines in; one that an engine does not have gives no row, except "fp32".
        reference: the framework's predictions, if they are known.
    """
    report = ParityReport(str(form.card.extra.get("model_name", Path(model_dir).name)), len(samples), origin)
    reference = reference or Reference(form, samples, origin)
    for precision in precisions:
        for files in _directories(Path(model_dir), precision):
            card = ModelCard.load(files.folder)
            # Engines that read a Paddle program come first. A sub-folder is only for the engines that read it.
            whole = files.folder == Path(model_dir)
            for runtime in sorted(available_runtimes(), key=_reads_onnx):
                report.engines += _check_engine(runtime, files, card, reference, cpu_threads, precision, absent_too=whole)
    return report


def _directories(model_dir: Path, precision: str) -> list[ModelFiles]:
    """The network files of an export in a precision, and those of the sub-folder `legacy`."""
    found = []
    for folder in (model_dir, model_dir / "legacy"):
        try:
            found.append(find_model_files(folder, precision))
        except ModelDirError:  # no file in this precision; the targets were checked before they were written
            continue
    return found


def _reads_onnx(runtime: type[Runtime]) -> bool:
    return "onnx" in runtime.reads


def _reduced_rules(engines: Sequence[EngineResult]) -> str:
    """How reduced precisions are judged, if any was run."""
    rules = [f"{name}: mean OKS of the poses with the framework's at least {each.oks}, or mean distance of boxes at most "
             f"{each.mean_px} px; unmatched at most {each.unmatched:.0%} (two in any case)"
             for name, each in REDUCED.items() if any(r.precision == name for r in engines)]  # fmt: skip
    return "".join(f" {rule}." for rule in rules)


def _check_engine(
    runtime_class: type[Runtime],
    files: ModelFiles,
    card: ModelCard,
    reference: Reference,
    cpu_threads: int,
    precision: str,
    absent_too: bool = True,
) -> list[EngineResult]:
    """One row per file that the engine reads."""
    engine = runtime_class.engine
    forms = [form for form in runtime_class.reads if getattr(files, form) is not None]
    # Paddle Inference has bfloat16 through oneDNN only, which is off unless asked for.
    able = precision in runtime_class.precisions and not (precision == "bf16" and runtime_class.has_onednn_switch)
    if not able or not forms or not runtime_class.is_installed():
        optional = not {"onnx", "pir"} & set(runtime_class.reads)  # an engine for a target that was not asked for
        if precision != "fp32" or not absent_too or (optional and not forms):
            return []
        wanted = "needs model.onnx (export with --onnx)" if _reads_onnx(runtime_class) else ""
        wanted = wanted or f"reads {' or '.join(runtime_class.reads)}, which is not there"
        installed = runtime_class.is_installed() or not forms
        return [EngineResult(engine, "absent", note=wanted if installed else f"{runtime_class.package} is not installed")]
    rows = []
    for form in forms:
        file = getattr(files, form).relative_to(files.folder if absent_too else files.folder.parent).as_posix()
        others: dict[str, Any] = {other: None for other in runtime_class.reads if other != form}
        only = replace(files, **others)
        try:
            runtime = load_runtime(files.folder, engine=engine, cpu_threads=cpu_threads, precision=precision, files=only)
            rows.append(reference.compare(runtime, precision, file, card))
        except Exception as error:  # engines raise their own exceptions; each of them means that the model cannot be run
            kind = "" if isinstance(error, PpdetError) else f"{type(error).__name__}: "
            note = kind + " ".join(str(error).split())
            rows.append(EngineResult(engine, "failed", precision=precision, file=file, note=note))
    return rows


def compare_with_framework(form: DeployedForm, runtime: Runtime, samples: Sequence[Any]) -> EngineResult:
    """Difference between an engine that is already loaded and the framework, on (image, boxes) samples.

    Args:
        form: the model in the framework.
        runtime: an engine with the graph of that form.
        samples: see `parity_samples`.
    """
    return Reference(form, samples).compare(runtime)


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
