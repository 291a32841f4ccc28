"""Many frames through the threaded pipeline, with random stalls: what one frame after the other gives, in flat memory."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support.planted_models import planted_person, write_detector, write_pose_model

from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.video.process import process_video

SIZE = (96, 128)
MOST_GROWTH = 24 * 2**20  # bytes between a tenth of the way and the end


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def write_clip(path: Path, frames: int) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, SIZE)
    points = np.array([[30.0, 30], [20, 60], [60, 70]])
    images = [planted_person(SIZE, points + [number, number % 7], 5.0)[..., ::-1] for number in range(30)]
    images[13] = np.zeros_like(images[0])
    for number in range(frames):
        writer.write(images[number % 30])
    writer.release()
    return path


def stall_at_random(pipeline: PosePipeline, share: float) -> None:
    """Let some runs of both networks take up to 20 ms longer."""
    assert pipeline.detector is not None
    moods = random.Random(5)
    for runtime in (pipeline.detector.runtime, pipeline.estimator.runtime):  # type: ignore[attr-defined]

        def stalling(feeds: Any, run: Any = runtime.run) -> Any:
            if moods.random() < share:
                time.sleep(moods.uniform(0, 0.02))
            return run(feeds)

        runtime.run = stalling


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory of the process from /proc")
@pytest.mark.parametrize(("frames", "preset"), [(300, "balanced"), pytest.param(10_000, "balanced", marks=pytest.mark.slow),
                                                pytest.param(10_000, "fast", marks=pytest.mark.slow)])  # fmt: skip
def test_stalls_change_nothing_and_memory_is_flat(tmp_path: Path, frames: int, preset: str) -> None:
    pytest.importorskip("onnxruntime")
    models = write_detector(tmp_path / "det"), write_pose_model(tmp_path / "pose")
    clip = write_clip(tmp_path / "clip.avi", frames)
    sizes: list[int] = []
    for workers in (0, 3):
        pipeline = PosePipeline(*models, engine="onnxruntime", cpu_threads=1, workers=workers, preset=preset)
        if workers:
            stall_at_random(pipeline, 0.1)
        output = tmp_path / f"{workers}.avi", tmp_path / f"{workers}.json"
        report = process_video(pipeline, clip, *output, on_result=lambda _: sizes.append(resident_bytes()))
        assert report.frames == frames
    assert (tmp_path / "3.json").read_bytes() == (tmp_path / "0.json").read_bytes()
    of_stalled = sizes[frames:]
    assert of_stalled[-1] - of_stalled[frames // 10] < MOST_GROWTH
