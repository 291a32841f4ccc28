"""What a batch does with each file, and the work on one of them."""
from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ppdet.core.errors import MediaError, PpdetError
from ppdet.image.io import is_photo_file, read_image
from ppdet.inference.batch_runs.inputs import BatchInput
from ppdet.inference.files.source_names import camera_number
from ppdet.inference.formats.options import FormatOptions
from ppdet.inference.formats.pose_writer import PoseWriter
from ppdet.inference.formats.table import format_named, open_writer
from ppdet.inference.formats.whole_output import CannotWriteError
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.tracking.settings import TrackerSettings
from ppdet.inference.video.process import process_video

FINGERPRINT_LENGTH = 16


class WorkerStartError(PpdetError):
    """No worker can be started: the model does not load, or memory is short."""


@dataclass(frozen=True)
class BatchJob:
    """What a batch does. Goes to the workers by pickle.

    Attributes:
        open_pipeline: opens a worker's pipeline.
        settings: everything that the results depend on, as JSON: names of flags, digests of models. A run into a folder with
            results of other settings is refused.
        format_name: format of the results.
        options: choices of the format.
        filter_type, max_frames, tracking: of videos, see `process_video`.
        apply_orientation: turn images as their EXIF orientation says.
        image_range: [black, white] values of images with more than 8 bits; None finds it from each file.
    """

    open_pipeline: Callable[[], PosePipeline]
    settings: Mapping[str, Any] = field(default_factory=dict)
    format_name: str = "jsonl"
    options: FormatOptions = field(default_factory=FormatOptions)
    filter_type: str | None = None
    max_frames: int | None = None
    tracking: TrackerSettings | None = None
    apply_orientation: bool = True
    image_range: tuple[float, float] | None = None

    @property
    def fingerprint(self) -> str:
        """A short digest of the settings."""
        text = json.dumps(self.settings, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:FINGERPRINT_LENGTH]

    def result_path(self, folder: Path, item: BatchInput) -> Path:
        """Where the result of an input goes."""
        return folder / f"{item.name}{format_named(self.format_name).suffix}"


@dataclass(frozen=True)
class Outcome:
    """What became of one input.

    Attributes:
        source: its path.
        status: "done" or "failed".
        reason: of a failure, in words.
        seconds: of work.
        frames: images or frames, those that did not decode included.
        people: poses in all frames together.
        persons: different people of a video.
        unreadable, missing: frames that did not decode, and that the container promises and that are not there.
    """

    source: str
    status: str
    reason: str = ""
    seconds: float = 0.0
    frames: int = 0
    people: int = 0
    persons: int = 0
    unreadable: int = 0
    missing: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain content."""
        return {**asdict(self), "seconds": round(self.seconds, 3)}


def work_on(job: BatchJob, pipeline: PosePipeline, item: BatchInput, folder: Path) -> Outcome:
    """Estimate the poses of one input and write its result.

    Args:
        job: what to do.
        pipeline: the worker's.
        item: the input.
        folder: where results go.

    Returns:
        What became of it; an input that cannot be read is a failure, not an error.

    Raises:
        CannotWriteError: the result cannot be written; the next ones could not either.
    """
    started = time.perf_counter()
    try:
        with open_writer(job.result_path(folder, item), job.format_name, job.options) as writer:
            writer.rank_by(pipeline.estimator.ranking_scores)
            counts = _image(job, pipeline, item, writer) if _is_image(item) else _video(job, pipeline, item, writer)
    except CannotWriteError:
        raise
    except PpdetError as error:
        return Outcome(item.source, "failed", str(error), time.perf_counter() - started)
    except (KeyError, IndexError, ValueError, TypeError, ArithmeticError, MemoryError, RuntimeError, OSError) as error:
        # one file in a hundred thousand finds every bug; the others still count
        return Outcome(item.source, "failed", f"{type(error).__name__}: {error}", time.perf_counter() - started)
    return Outcome(item.source, "done", seconds=time.perf_counter() - started, **counts)


def _is_image(item: BatchInput) -> bool:
    return is_photo_file(item.source)


def _image(job: BatchJob, pipeline: PosePipeline, item: BatchInput, writer: PoseWriter) -> dict[str, Any]:
    (result,) = pipeline.estimate_batch([read_image(item.source, job.apply_orientation, job.image_range)], [item.source])
    writer.add(result)
    return {"frames": 1, "people": len(result)}


def _video(job: BatchJob, pipeline: PosePipeline, item: BatchInput, writer: PoseWriter) -> dict[str, Any]:
    if camera_number(item.source) is not None:
        raise MediaError(f"{item.source} is a camera, which never ends: run it by `ppdet pose`")
    report = process_video(pipeline, item.source, filter_type=job.filter_type, max_frames=job.max_frames, on_result=writer.add,
                           tracking=job.tracking)  # fmt: skip
    return {"frames": report.frames, "people": report.people, "persons": report.persons, "unreadable": len(report.unreadable),
            "missing": report.missing}  # fmt: skip


def state_of(path: str | Path) -> list[int] | None:
    """Size and time of change of a file, by which a changed one is noticed; None if it is not there."""
    with suppress(OSError, ValueError):
        status = os.stat(path)
        return [status.st_size, status.st_mtime_ns]
    return None


def size_of(path: Path) -> int | None:
    """Bytes of a result, those of its files together for a folder; None if it is not there."""
    with suppress(OSError):
        if path.is_dir():
            return sum(each.stat().st_size for each in path.iterdir())
        return path.stat().st_size
    return None
