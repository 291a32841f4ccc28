"""Small clips and a pipeline without engines, for tests of batches; imported by worker processes, too."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ppdet.inference.batch_runs.job import BatchJob
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.pipeline import PosePipeline
from support.planted_models import PlantedDetector, PlantedRuntime, planted_person, pose_card

SIZE = (96, 128)
WHITE = 250
"""Frames with no pixel below this make a `FaultyDetector` misbehave."""


def write_clip(path: Path, frames: int = 4, seed: int = 0, white: bool = False) -> Path:
    """A clip with one planted person that moves; `white` adds a white frame at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, SIZE)
    start = np.random.default_rng(seed).uniform(25, 60, (3, 2))
    for number in range(frames):
        writer.write(planted_person(SIZE, start + number, 5.0)[..., ::-1])
    if white:
        writer.write(np.full((SIZE[1], SIZE[0], 3), 255, np.uint8))
    writer.release()
    return path


class FaultyDetector(PlantedDetector):
    """Finds the planted person. A white frame kills the process, or lets it stand still, while `marker` has fewer lines than
    `times`."""

    def __init__(self, marker: Path, times: int, seconds: float = 0.0) -> None:
        super().__init__([[0, 0, SIZE[0] - 1, SIZE[1] - 1]])
        self.marker, self.times, self.seconds = marker, times, seconds

    def detect(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """See `PlantedDetector.detect`."""
        if any(image.min() > WHITE for image in images):
            with self.marker.open("a+") as stream:
                stream.seek(0)
                before = len(stream.readlines())
                stream.write("again\n")
            if before < self.times and self.seconds:
                time.sleep(self.seconds)
            elif before < self.times:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().detect(images)


def open_planted(marker: Path, times: int = 0, seconds: float = 0.0, pause_at: int | None = None) -> PosePipeline:
    """A pipeline of planted models. It stands still once there are `pause_at` results, until the file `go_on` appears."""
    pipeline = PosePipeline(FaultyDetector(marker, times, seconds), TopDownEstimator(PlantedRuntime(), pose_card()))
    if pause_at is not None:
        estimate, folder = pipeline.estimate, marker.parent

        def pausing(*words: Any, **more: Any) -> Any:
            while len(list((folder / "out").glob("*.avi.jsonl"))) >= pause_at and not (folder / "go_on").exists():
                time.sleep(0.01)
            return estimate(*words, **more)

        pipeline.estimate = pausing  # type: ignore[method-assign]
    return pipeline


def planted_job(folder: Path, times: int = 0, seconds: float = 0.0, pause_at: int | None = None, **changes: Any) -> BatchJob:
    """A job whose workers open planted pipelines."""
    return BatchJob(partial(open_planted, folder / "marker", times, seconds, pause_at), **{"settings": {"model": "a"}, **changes})
