"""Boxes by an exported detector: implementation of the command `detector`."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path

from ppdet.commands.deployed.box_run import BoxRun
from ppdet.commands.deployed.report import print_benchmark
from ppdet.commands.flags.run_flags import CAMERA_VIDEO, check_flags, runtime_options
from ppdet.core.errors import ModelDirError
from ppdet.inference.estimators.registry import finds_poses, load_detector
from ppdet.inference.files.inputs import ImageInputs
from ppdet.inference.files.output_folder import OutputFolder
from ppdet.inference.files.urls import output_name
from ppdet.inference.formats.json_list import JsonListWriter
from ppdet.inference.model_card import ModelCard
from ppdet.inference.onnx_models.loading import load_card
from ppdet.inference.runtimes.registry import load_runtime
from ppdet.inference.video.path import check_video_path


def run_detect(args: argparse.Namespace) -> int:
    """Detect and draw boxes; returns the exit status."""
    check_flags(args)
    output = OutputFolder(args.output_dir)
    is_video = bool(args.video_file) or args.camera_id >= 0
    inputs = None if is_video else ImageInputs(args.image_file, args.image_dir, not args.ignore_exif, args.image_range)
    if args.video_file:
        check_video_path(args.video_file)
    card = detector_card(args.model_dir)
    runtime = load_runtime(str(card.model_dir), **runtime_options(args, card, args.batch_size))
    detector = load_detector(runtime, card, args.batch_size)
    with ExitStack() as stack:
        records = stack.enter_context(JsonListWriter(output.file("bbox.json"))) if args.save_results else None
        work = BoxRun(detector, output if args.save_images else None, records, args.threshold, args.save_threshold)
        if inputs is not None:
            work.run_images(inputs, args.batch_size)
            status = inputs.exit_status()
        elif args.video_file:
            status = work.run_video(args.video_file, output_name(args.video_file))
        else:
            status = work.run_video(args.camera_id, CAMERA_VIDEO)
    work.log_end()
    if args.run_benchmark:
        print_benchmark(work.timer, args.cpu_threads)
    return status


def detector_card(model_dir: str | Path) -> ModelCard:
    """The card of an exported detector.

    Raises:
        ModelDirError: not an exported model, or not a detector.
    """
    card = load_card(model_dir)
    if finds_poses(card):
        raise ModelDirError(f"{model_dir} is a pose model (arch {card.arch}): use deploy/python/keypoint_infer.py, or "
                            "det_keypoint_unite_infer.py together with a detector (`ppdet pose` does both)")
    return card
