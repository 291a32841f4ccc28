"""From the flags of `ppdet batch` to a job."""
from __future__ import annotations

import argparse
import hashlib
import os
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from ppdet.commands.flags.format_flags import format_options
from ppdet.commands.flags.pose_model_flags import NO_DETECTOR
from ppdet.commands.flags.run_flags import chosen_filter, chosen_interval
from ppdet.commands.flags.tracking_flags import chosen_zones, tracker_settings
from ppdet.commands.flags.values import check_numbers
from ppdet.commands.running.plain_sources import pose_pipeline
from ppdet.core.errors import ConfigError, ModelDirError
from ppdet.core.files import sha256_of
from ppdet.image.depth import checked_range
from ppdet.inference.batch_runs.inputs import find_inputs
from ppdet.inference.batch_runs.job import BatchJob
from ppdet.inference.batch_runs.run import BatchOptions, run_batch
from ppdet.inference.estimators.registry import estimator_class
from ppdet.inference.estimators.tracking_network import tracker_of
from ppdet.inference.files.model_names import DETECTOR, POSE, default_model, find_model
from ppdet.inference.model_opening import is_box_file
from ppdet.inference.onnx_models.loading import load_card
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.tracking.jde.settings import JdeSettings, settings_of_file
from ppdet.inference.tracking.recorded import RECORDED_FILTERS, check_recorded_filter

DIGEST_LENGTH = 16
AS_FLAGS = ("runtime", "precision", "det_threshold", "person_threshold", "max_frames", "preset")


def run_batch_command(args: argparse.Namespace) -> int:
    """Run a batch as the flags say; returns the exit status."""
    check_numbers(args)
    if args.max_frames is not None and args.max_frames < 1:
        raise ConfigError(f"--max_frames is {args.max_frames}: give 1 or more")
    workers = args.workers if args.workers is not None else _cores()
    options = BatchOptions(args.engine, workers, args.address, args.attempts, args.stall_seconds, bool(args.redo),
                           bool(args.retry_failed))  # fmt: skip
    job = job_of_flags(args)
    return run_batch(find_inputs(args.inputs, args.media, args.output), args.output, job, options).exit_status()


def job_of_flags(args: argparse.Namespace) -> BatchJob:
    """The job that the flags ask for.

    Raises:
        PpdetError: an unknown model, format, filter, zone or tracker setting; raised before any work.
    """
    smoothing, name = chosen_filter(args), args.format or "jsonl"
    own_tracker = _settings_of_own_tracker(args)
    tracking = tracker_settings(args) if own_tracker is None else None
    tracker = own_tracker or tracking
    if smoothing in RECORDED_FILTERS:
        check_recorded_filter(smoothing)
    has_threshold = name in ("trc", "c3d_csv")
    settings: dict[str, Any] = {
        "model": _described(args.model, POSE), "det": _described(args.det, DETECTOR),
        **{flag: getattr(args, flag) for flag in AS_FLAGS}, "det_interval": chosen_interval(args),
        "flip_test": bool(args.flip_test), "smooth": smoothing,
        "tracker": None if tracker is None else asdict(tracker), "zones": [repr(zone) for zone in chosen_zones(args)],
        "ignore_exif": bool(args.ignore_exif), "format": name,
        **({} if args.image_range is None else {"image_range": args.image_range}),
        **({"threshold": args.threshold, "mm_per_pixel": args.mm_per_pixel} if has_threshold else {}),
    }  # fmt: skip
    return BatchJob(partial(open_worker_pipeline, args), settings, name, format_options(args, args.threshold), smoothing,
                    args.max_frames, tracking, not args.ignore_exif, checked_range(args.image_range))  # fmt: skip


def open_worker_pipeline(args: argparse.Namespace) -> PosePipeline:
    """The pipeline of one worker, which computes in its own share of the processor only."""
    import cv2

    cv2.setNumThreads(args.cpu_threads)
    pipeline = pose_pipeline(argparse.Namespace(**{**vars(args), "engine": args.runtime}), has_files=args.media != "images")
    tracker_settings(args, pipeline.detector)  # a detector with its own tracker takes them
    return pipeline


def _settings_of_own_tracker(args: argparse.Namespace) -> JdeSettings | None:
    """Settings in `--tracker_config` for the tracker of a FairMOT; None if they are for the tracker of poses."""
    if not args.tracker_config or args.det is None or args.det.lower() == NO_DETECTOR or is_box_file(args.det):
        return None
    card = load_card(find_model(args.det, DETECTOR))
    if not hasattr(estimator_class(card), "follower"):
        return None
    return settings_of_file(args.tracker_config, tracker_of(card))


def _described(name: str | None, kind: str) -> str:
    """A model by name and digest, so that a changed one is noticed."""
    if name is not None and name.lower() == NO_DETECTOR:
        return NO_DETECTOR
    try:
        path = Path(find_model(default_model(kind) if name is None else name, kind))
    except ModelDirError:
        if name is None and kind == DETECTOR:
            return NO_DETECTOR  # none is bundled; a bottom-up model needs none
        raise
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            digest.update(f"{file.relative_to(path)} {sha256_of(file)}\n".encode())
    return f"{path.name} {digest.hexdigest()[:DIGEST_LENGTH]}"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
