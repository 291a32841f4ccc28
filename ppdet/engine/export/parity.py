"""Compare an exported model with the framework it came from, in what counts: final keypoints and boxes.

Axes: N people or boxes, K keypoints.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable, Mapping, Sequence

import numpy as np

from ppdet.core.errors import PpdetError
from ppdet.engine.tasks.bottom_up_parity import compare_candidates, predict_bottom_up, regrouped, steady_outputs, ties
from ppdet.engine.tasks.deployed_form import DeployedForm
from ppdet.geometry.boxes import iou_matrix
from ppdet.inference.estimators.bottom_up import BottomUpEstimator
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes import load_runtime
from ppdet.inference.runtimes.base import Runtime
from ppdet.inference.runtimes.model_files import ModelFiles, find_model_files
from ppdet.inference.runtimes.registry import available_runtimes

TOLERANCE_PX = 0.05
SCORE_FLOOR = 0.2
# Heatmaps have a peak of 1; float32 kernels of different engines agree to about 1e-5.
TOLERANCE_SCORE = 1e-3
# Of the largest value of an output, before any decoding: the only evidence where nothing scores above the floor.
TOLERANCE_OUTPUT = 1e-3
REFERENCE_BATCH, ENGINE_BATCH = 8, 3


@dataclass
class EngineResult:
    """How far one engine is from the framework.

    Attributes:
        engine: name of the engine; see `runtime_names`.
        status: "ok", "differs", "failed" (it could not run the model) or "absent" (nothing to run here).
        compared: keypoints (boxes; of bottom-up models candidates) whose framework score is above `SCORE_FLOOR`.
        unmatched: boxes that only one of the two found.
        max_px, mean_px: distance of those keypoints (or box sides) in image pixels.
        max_score: largest difference of a score.
        max_output: largest difference of the network's outputs, as a share of their largest value; None where the graph
            itself suppresses boxes and rows need not correspond.
        note: engine's description, or why it did not run.
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
        """Why a report without failures may still mean little."""
        ran = [result for result in self.engines if result.status in ("ok", "differs")]
        if not ran or any(result.compared for result in ran):
            return []
        return [
            f"nothing scored above {SCORE_FLOOR} on {self.samples} {self.origin}, so no final point was compared. Are these the "
            "weights of this config (same input size, trained)?"
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain content for export_report.json."""
        limits = {
            "px": TOLERANCE_PX, "score": TOLERANCE_SCORE, "output": TOLERANCE_OUTPUT, "score_floor": SCORE_FLOOR,
        }  # fmt: skip
        return {"passed": not self.failed, "warnings": self.warnings, "tolerance": limits, **asdict(self)}

    def to_markdown(self) -> str:
        """The table of export_report.md."""
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
    """Run every engine that is installed and finds its file on the samples.

    Args:
        model_dir: exported directory.
        form: the same model in the framework.
        samples: (image, boxes) pairs.
        origin: where the samples come from, for the report.
        cpu_threads: of the engines.
    """
    report = ParityReport(str(form.card.extra.get("model_name", Path(model_dir).name)), len(samples), origin)
    reference = _Run(form.runtime(), form.card, samples, REFERENCE_BATCH)
    card = ModelCard.load(model_dir)
    for runtime in sorted(available_runtimes(), key=_reads_onnx):  # Paddle's own first
        report.engines.append(_check_engine(runtime, find_model_files(model_dir), card, samples, reference, cpu_threads))
    return report


def _reads_onnx(runtime: type[Runtime]) -> bool:
    return "onnx" in runtime.reads


def _check_engine(
    runtime_class: type[Runtime],
    files: ModelFiles,
    card: ModelCard,
    samples: Sequence[Any],
    reference: _Run,
    cpu_threads: int,
) -> EngineResult:
    engine = runtime_class.engine
    # An engine that reads both formats is compared on the ONNX file, which is what it is given in deployment.
    if _reads_onnx(runtime_class) and files.onnx is None:
        return EngineResult(engine, "absent", note="needs model.onnx (export with --onnx)")
    if not runtime_class.can_read(files):
        return EngineResult(engine, "absent", note=f"reads {' or '.join(runtime_class.reads)}, which is not there")
    if not runtime_class.is_installed():
        return EngineResult(engine, "absent", note=f"{runtime_class.package} is not installed")
    try:
        runtime = load_runtime(files.folder, engine=engine, cpu_threads=cpu_threads, precision="fp32")
        found = _Run(runtime, card, samples, ENGINE_BATCH)
    except Exception as error:  # engines have exceptions of their own; any of them means: cannot run this model
        kind = "" if isinstance(error, PpdetError) else f"{type(error).__name__}: "
        return EngineResult(engine, "failed", note=kind + " ".join(str(error).split()))
    result = EngineResult(engine, "ok", note=runtime.description)
    _comparison(card)(result, reference.predictions, found.predictions)
    differences = [result.max_output, _output_difference(reference.outputs, found.outputs)]
    result.max_output = max((each for each in differences if each is not None), default=None)
    result.judge()
    return result


def _comparison(card: ModelCard) -> Callable[[EngineResult, list[Any], list[Any]], None]:
    if card.is_bottom_up:
        return _compare_bottom_up
    return _compare_poses if card.is_top_down else _compare_boxes


class _Run(Runtime):
    """Predictions of one engine on all samples, and what its network put out on the way."""

    def __init__(self, runtime: Runtime, card: ModelCard, samples: Sequence[Any], batch_size: int) -> None:
        self._runtime = runtime
        self.input_names, self.fixed_batch = runtime.input_names, runtime.fixed_batch
        self.outputs: list[list[np.ndarray]] = []
        self._kept = steady_outputs if card.is_bottom_up else list
        if card.is_bottom_up:
            crowd = BottomUpEstimator(self, card)
            self.predictions: list[Any] = [predict_bottom_up(crowd, image) for image, _ in samples]
        elif card.is_top_down:
            estimator = TopDownEstimator(self, card, batch_size=batch_size)
            self.predictions = [estimator.estimate(image, boxes) for image, boxes in samples]
        else:
            self.predictions = BoxDetector(self, card, batch_size=batch_size).detect([image for image, _ in samples])

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the engine and keep what is compared."""
        outputs = self._runtime.run(feeds)
        self.outputs.append(self._kept(outputs))
        return outputs


def _output_difference(reference: list[list[np.ndarray]], found: list[list[np.ndarray]]) -> float | None:
    """Largest relative difference of the outputs that have a batch axis; batches may be cut differently."""
    worst = None
    for ours, theirs in zip(zip(*reference), zip(*found)):
        if ours[0].ndim < 3:  # indices of peaks, or rows after suppression
            continue
        ours_whole, theirs_whole = np.concatenate(ours), np.concatenate(theirs)
        if ours_whole.shape != theirs_whole.shape:
            return float("inf")
        largest = max(float(np.abs(ours_whole).max(initial=0)), 1e-30)
        worst = max(worst or 0.0, float(np.abs(ours_whole - theirs_whole).max(initial=0)) / largest)
    return worst


def _compare_poses(result: EngineResult, reference: list[Any], found: list[Any]) -> None:
    xy, scores = (np.concatenate([each[i] for each in reference]) for i in (0, 1))
    other_xy, other_scores = (np.concatenate([each[i] for each in found]) for i in (0, 1))
    distance = np.linalg.norm(xy - other_xy, axis=-1)[scores > SCORE_FLOOR]
    _note(result, distance, np.abs(scores - other_scores))


def _compare_bottom_up(result: EngineResult, reference: list[Any], found: list[Any]) -> None:
    rows = np.concatenate([compare_candidates(*pair, SCORE_FLOOR) for pair in zip(reference, found)])
    even = ties(rows, TOLERANCE_PX)
    _note(result, rows[~even, 0], rows[~even, 1])
    largest = max(float(np.abs(each.candidates.tag).max(initial=0)) for each in reference)
    result.max_output = float(rows[:, 2].max(initial=0)) / max(largest, 1e-30)
    if even.any():
        result.note += f"; left out: {int(even.sum())} peaks midway between pixels, which the last bit moves"
    changed = regrouped(reference, found, SCORE_FLOOR, TOLERANCE_PX)
    if changed:
        result.note += f"; {changed} people grouped otherwise: their tags lie so close that the last bit decides"


def _compare_boxes(result: EngineResult, reference: list[Any], found: list[Any]) -> None:
    sides, scores = [np.zeros((0, 4))], [np.zeros(0)]
    for ours, theirs in zip(reference, found):
        confident = np.flatnonzero(ours.scores > SCORE_FLOOR)
        overlap = iou_matrix(ours.boxes_xyxy[confident], theirs.boxes_xyxy)
        overlap = overlap * (ours.labels[confident][:, None] == theirs.labels[None])
        partner = overlap.argmax(1) if overlap.size else np.zeros(0, int)
        matched = overlap.max(1, initial=0) > 0.9
        result.unmatched += int((~matched).sum())
        # The other way round with a margin: a score just above the floor here may be just below it there.
        extra = overlap.max(0, initial=0) <= 0.9
        result.unmatched += int((extra & (theirs.scores > SCORE_FLOOR + TOLERANCE_SCORE)).sum())
        rows = confident[matched]
        sides.append(ours.boxes_xyxy[rows] - theirs.boxes_xyxy[partner[matched]])
        scores.append(ours.scores[rows] - theirs.scores[partner[matched]])
    _note(result, np.abs(np.concatenate(sides)).max(1, initial=0), np.abs(np.concatenate(scores)))


def _note(result: EngineResult, distance: np.ndarray, score: np.ndarray) -> None:
    result.compared = int(len(distance))
    result.max_px = float(distance.max(initial=0))
    result.mean_px = float(distance.mean()) if len(distance) else 0.0
    result.max_score = float(score.max(initial=0))
