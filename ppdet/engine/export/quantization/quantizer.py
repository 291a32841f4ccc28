"""Makes the 8-bit graph of an export: calibrates on people, keeps layers that cost accuracy in floating point, and times it."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np

from ppdet.core.errors import ExportError
from ppdet.core.logger import get_logger
from ppdet.engine.assembly import Assembly
from ppdet.engine.export.parity import EngineResult, Reference
from ppdet.engine.export.parity_samples import calibration_samples
from ppdet.engine.export.quantization.static import depthwise_nodes, heavy_nodes, quantize_file, sensitivities
from ppdet.inference.runtimes.base import Runtime, RuntimeOptions
from ppdet.inference.runtimes.model_files import ModelFiles
from ppdet.inference.runtimes.onnxruntime import OnnxRuntime

logger = get_logger(__name__)

IMAGES = 32
BATCH = 8
#: fractions of the nodes, the most sensitive first, that stay float besides the depthwise convolutions until the gate is passed
FLOAT_SHARES = (0.0, 0.1, 0.25, 0.5)
REPEATS = 15


class Quantizer:
    """Quantises the graphs of one export.

    Args:
        assembly: of the config, whose datasets give the images.
        reference: the framework's predictions, which the 8-bit graph is compared with.
        calibration: folder of images; None for those of the datasets.

    Attributes:
        results: rows for the report: what was measured on the way.
    """

    def __init__(self, assembly: Assembly, reference: Reference, calibration: str | Path | None = None) -> None:
        self._assembly, self._reference, self._calibration = assembly, reference, calibration
        self._feeds: list[dict[str, np.ndarray]] | None = None
        self.results: list[EngineResult] = []

    def quantize(self, source: Path, target: Path) -> None:
        """Write the 8-bit form of a float graph.

        Raises:
            ExportError: even with half of its layers in floating point, the predictions differ too much.
        """
        feeds = self._fed(source)
        order = sorted(sensitivities(source, feeds[:2]).items(), key=lambda item: -item[1])
        total = len(heavy_nodes(source))
        # Their channels differ most in range, and they take little of the time: PicoDet finds 5 of 39 people with them in 8 bits,
        # and all without.
        spread = depthwise_nodes(source)
        tries = [[], *([*spread, *(name for name, _ in order[: math.ceil(share * total)])] for share in FLOAT_SHARES)]
        row = None
        for floats in dict.fromkeys(tuple(sorted(set(names))) for names in tries):
            count = quantize_file(source, target, feeds, floats)
            row = self._reference.compare(_runtime(target), "int8", "model.int8.onnx")
            logger.info("%d of %d layers in 8 bits: %s", count, total, _figures(row))
            if row.status == "ok":
                self._note_gain(source, target, f"{count} of {total} layers in 8 bits")
                return
        assert row is not None
        raise ExportError(
            f"8 bits change what this network predicts even with half of its layers in floating point ({_figures(row)}): export "
            "it in fp32 or bf16. More calibration images of the intended people may help (--calibration DIR)."
        )

    def _fed(self, source: Path) -> list[dict[str, np.ndarray]]:
        """Inputs of the network for people of the datasets, as the estimator makes them."""
        if self._feeds is None:
            samples, origin = calibration_samples(self._assembly, self._calibration, IMAGES)
            logger.info("calibrating 8 bits on %d %s", len(samples), origin)
            recorder = _Recorder(_runtime(source))
            self._reference.task.predictions(recorder, self._reference.form.card, samples, BATCH)
            self._feeds = recorder.feeds
        return self._feeds

    def _note_gain(self, source: Path, target: Path, what: str) -> None:
        """Log how much faster the 8-bit graph is, and warn if it is not."""
        feed = self._fed(source)[0]
        float_ms, int_ms = _milliseconds([_runtime(source), _runtime(target)], feed)
        sizes = [path.stat().st_size / 1e6 for path in (source, target)]
        batch = len(next(iter(feed.values())))
        text = (f"{what}; {sizes[0]:.1f} -> {sizes[1]:.1f} MB; {float_ms:.1f} -> {int_ms:.1f} ms for a batch of {batch} "
                f"in ONNX Runtime ({float_ms / int_ms:.2f} x)")  # fmt: skip
        if int_ms >= float_ms:
            logger.warning("8 bits are no gain here: %s. Run this network in fp32.", text)
        else:
            logger.info("8 bits: %s", text)
        self.gain = text


class _Recorder(Runtime):
    """Runs another engine and keeps what it was fed."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.input_names, self.fixed_batch = runtime.input_names, runtime.fixed_batch
        self.feeds: list[dict[str, np.ndarray]] = []

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the engine."""
        self.feeds.append({name: np.array(values) for name, values in feeds.items()})
        return self._runtime.run(feeds)


def _runtime(path: Path) -> OnnxRuntime:
    return OnnxRuntime(ModelFiles(path.parent, path, None, None, None), RuntimeOptions(cpu_threads=1))


def _milliseconds(runtimes: Sequence[Runtime], feed: Mapping[str, Any]) -> list[float]:
    """Median processor time of each runtime, taken in turns so that a busy machine treats them alike."""
    times: list[list[float]] = [[] for _ in runtimes]
    for _ in range(REPEATS):
        for runtime, taken in zip(runtimes, times):
            start = time.process_time()
            runtime.run(feed)
            taken.append((time.process_time() - start) * 1e3)
    return [float(np.median(taken[2:])) for taken in times]


def _figures(row: EngineResult) -> str:
    oks = "" if row.oks is None else f", OKS {row.oks:.4f}"
    return f"mean distance {row.mean_px:.2f} px{oks}, {row.unmatched} unmatched of {row.compared}"
