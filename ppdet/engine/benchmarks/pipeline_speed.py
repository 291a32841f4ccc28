"""The pipeline on videos: frames/s, time of its stages, and the time that the same runs of the networks take alone.

All settings take turns within each round in one process, so that a noisy machine disturbs them equally; figures are medians.
"""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np

import ppdet
from ppdet.engine.benchmarks.pipeline_drift import Drift, drift_between
from ppdet.inference.batching.machine_notes import machine_name
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.redetection.schedule import ADAPTIVE
from ppdet.inference.results import PoseResult
from ppdet.inference.runtimes.base import Runtime
from ppdet.inference.runtimes.registry import available_runtimes
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.video.process import process_video

HEADER = ["video", "setting", "frames", "people/frame", "loop s", "frames/s", "networks alone s", "loop / networks",
          "processor s", "detector runs", "median drift px", "OKS"]  # fmt: skip
PACKAGES = ("numpy", "opencv-python-headless", "opencv-python")


@dataclass(frozen=True)
class Setting:
    """One way to run the pipeline.

    Attributes:
        name: in tables.
        workers, engine_threads: see `PosePipeline`.
        preset, det_interval: see `PosePipeline`.
        writes_video: draw and encode as well; else JSON alone.
    """

    name: str
    workers: int
    engine_threads: int
    preset: str = "balanced"
    writes_video: bool = True
    det_interval: Union[int, str, None] = None


@dataclass
class Measured:
    """Medians of one setting on one video.

    Attributes:
        video, setting: what was run.
        frames, people: how many, in all.
        loop_seconds: from the opened video to the finished files; models are loaded and batches chosen before.
        processor_seconds: of this process in the same time.
        network_seconds: the same runs of the networks by as many workers, with nothing else.
        runs: of each network, by size of batch.
        stages: milliseconds at the 50th, 95th and 99th percentile, and runs.
        drift: of the keypoints, against the first setting.
    """

    video: str
    setting: str
    frames: int
    people: int
    loop_seconds: float
    processor_seconds: float
    network_seconds: float
    runs: dict[str, dict[int, int]]
    stages: dict[str, dict[str, float]]
    drift: Optional[Drift] = None

    def row(self) -> list[str]:
        """Cells below `HEADER`."""
        drift = ["", ""] if self.drift is None else [f"{self.drift.median_px:.2f}", f"{self.drift.oks:.3f}"]
        return [
            self.video, self.setting, str(self.frames), f"{self.people / max(self.frames, 1):.1f}", f"{self.loop_seconds:.2f}",
            f"{self.frames / self.loop_seconds:.1f}", f"{self.network_seconds:.2f}",
            f"{self.loop_seconds / max(self.network_seconds, 1e-9):.2f}", f"{self.processor_seconds:.2f}",
            str(sum(self.runs.get("detector", {}).values())), *drift,
        ]  # fmt: skip


@dataclass
class _Round:
    loop: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    network: list[float] = field(default_factory=list)
    results: list[PoseResult] = field(default_factory=list)


def usual_settings(cpu_threads: int, presets: Iterable[str]) -> list[Setting]:
    """The presets with the video written, and the last one with JSON alone; the first is what drift is measured against."""
    found = [Setting(preset, cpu_threads, 1, preset) for preset in presets]
    last = found[-1]
    return [*found, Setting(f"{last.name}, JSON alone", last.workers, last.engine_threads, last.preset, False)]


def step_settings(cpu_threads: int) -> list[Setting]:
    """One step after the other, to see what each gains."""
    return [
        Setting("one frame after the other", 0, cpu_threads),
        Setting(f"1 worker of {cpu_threads} threads", 1, cpu_threads),
        Setting(f"{cpu_threads} workers of 1 thread", cpu_threads, 1),
        Setting("detector only when needed", cpu_threads, 1, det_interval=ADAPTIVE),
        Setting("fast", cpu_threads, 1, "fast"),
        Setting("fast, JSON alone", cpu_threads, 1, "fast", False),
    ]


def measure(
    videos: Sequence[str],
    settings: Sequence[Setting],
    repeats: int = 5,
    max_frames: Optional[int] = None,
    **models: Any,
) -> Iterator[Measured]:
    """Measure settings on videos.

    Args:
        videos: files.
        settings: ways to run; drift is measured against the first one.
        repeats: rounds.
        max_frames: of each video.
        models: further arguments of `PosePipeline`, such as `det`, `model` and `engine`.
    """
    pipelines = [
        PosePipeline(**models, cpu_threads=each.engine_threads, workers=each.workers, preset=each.preset,
                     det_interval=each.det_interval) for each in settings
    ]
    for pipeline in pipelines:
        pipeline.estimator.tune()
    counters = [[RunCounter(name, runtime) for name, runtime in networks_of(pipeline)] for pipeline in pipelines]
    for video in videos:
        rounds = [_Round() for _ in settings]
        for pipeline in pipelines:
            pipeline.timer.reset()
        for _ in range(repeats):
            for setting, pipeline, counted, taken in zip(settings, pipelines, counters, rounds):
                for counter in counted:
                    counter.runs.clear()
                _run(video, setting, pipeline, max_frames, taken)
                taken.network.append(_networks_alone(counted, max(setting.workers, 1)))
        for setting, pipeline, counted, taken in zip(settings, pipelines, counters, rounds):
            drift = None if taken is rounds[0] else drift_between(rounds[0].results, taken.results)
            yield Measured(
                Path(video).name, setting.name, len(taken.results), sum(map(len, taken.results)),
                statistics.median(taken.loop), statistics.median(taken.processor), statistics.median(taken.network),
                {counter.name: counter.by_batch() for counter in counted}, stage_figures(pipeline.timer), drift,
            )  # fmt: skip


def _run(video: str, setting: Setting, pipeline: PosePipeline, max_frames: Optional[int], taken: _Round) -> None:
    results: list[PoseResult] = []
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder) / "drawn.mp4" if setting.writes_video else None
        wall, processor = time.perf_counter(), time.process_time()
        process_video(pipeline, video, drawn, Path(folder) / "poses.json", "named", max_frames=max_frames,
                      on_result=results.append)  # fmt: skip
        taken.loop.append(time.perf_counter() - wall)
        taken.processor.append(time.process_time() - processor)
    taken.results = results


class RunCounter:
    """Counts the runs of a network by the shapes of its inputs, from any thread.

    Args:
        name: of the network.
        runtime: whose `run` is counted from now on.

    Attributes:
        runs: shapes of the inputs of each run.
        run: the network alone.
    """

    def __init__(self, name: str, runtime: Runtime) -> None:
        self.name, self.run = name, runtime.run
        self.runs: list[tuple[tuple[str, tuple[int, ...]], ...]] = []
        runtime.run = self._counted  # type: ignore[method-assign]

    def by_batch(self) -> dict[int, int]:
        """How many runs had which batch."""
        sizes = [shapes[0][1][0] for shapes in self.runs]
        return {size: sizes.count(size) for size in sorted(set(sizes))}

    def calls(self) -> list[Callable[[], object]]:
        """The same runs again, on noise."""
        rng = np.random.default_rng(0)
        feeds = {shapes: {name: rng.normal(0, 1, shape).astype(np.float32) if len(shape) > 2 else np.ones(shape, np.float32)
                          for name, shape in shapes} for shapes in set(self.runs)}  # fmt: skip
        return [partial(self.run, feeds[shapes]) for shapes in self.runs]

    def _counted(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        self.runs.append(tuple((name, array.shape) for name, array in feeds.items()))
        return self.run(feeds)


def networks_of(pipeline: PosePipeline) -> list[tuple[str, Runtime]]:
    """The networks that a pipeline runs, by name."""
    runtimes = {"detector": getattr(pipeline.detector, "runtime", None), "pose": pipeline.estimator.runtime}
    return [(name, runtime) for name, runtime in runtimes.items() if isinstance(runtime, Runtime)]


def _networks_alone(counters: Sequence[RunCounter], workers: int) -> float:
    """Wall-clock seconds of all counted runs, by as many workers."""
    calls = [call for counter in counters for call in counter.calls()]
    with ThreadPoolExecutor(workers) as pool:
        start = time.perf_counter()
        for done in [pool.submit(call) for call in calls]:
            done.result()
        return time.perf_counter() - start


def stage_figures(timer: StageTimer) -> dict[str, dict[str, float]]:
    """Milliseconds of each stage at the 50th, 95th and 99th percentile, and its runs."""
    return {name: {**{f"p{q}_ms": round(ms, 3) for q, ms in timer.percentiles_ms(name).items()}, "runs": count}
            for name, count in timer.runs().items()}  # fmt: skip


def hardware_stamp() -> dict[str, Any]:
    """On what a measurement was made: machine, system, versions, and the load at this moment."""
    versions = {"ppdet": ppdet.__version__}
    versions.update({each.title: each.version() for each in available_runtimes() if each.is_installed()})
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"machine": machine_name(), "system": platform.platform(), "python": platform.python_version(), "versions": versions,
            "load": load, "time": time.strftime("%Y-%m-%dT%H:%M:%S%z")}  # fmt: skip


def as_json(found: Sequence[Measured], stamp: Mapping[str, Any]) -> dict[str, Any]:
    """Everything measured, with the stamp of the machine."""
    return {"hardware": dict(stamp), "measured": [asdict(each) for each in found]}
