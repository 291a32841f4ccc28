"""Poses by exported models: what the commands `unite` and `keypoint` do once their flags are read."""
from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path

from ppdet.commands.deployed.pose_run import PoseRun
from ppdet.commands.deployed.report import print_benchmark
from ppdet.commands.flags.run_flags import CAMERA_VIDEO, check_flags, runtime_options
from ppdet.core.errors import ConfigError, ModelDirError
from ppdet.inference.estimators.bottom_up import BottomUpEstimator, bottom_up_alone, refuse_flip_test
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.estimators.paddledet_top_down import PaddleDetTopDown
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.files.inputs import ImageInputs
from ppdet.inference.files.json_results import JsonResultsWriter
from ppdet.inference.files.output_folder import OutputFolder
from ppdet.inference.model_card import ModelCard
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.runtimes import load_runtime
from ppdet.inference.video.path import check_video_path


def run_unite(args: argparse.Namespace) -> int:
    """Detector and pose model on images, a video or a camera; returns the exit status."""
    check_flags(args)
    return _run(args, args.keypoint_model_dir, args.det_model_dir, args.keypoint_batch_size, args.keypoint_threshold,
                "det_keypoint_unite", bool(args.save_res), 1)


def run_keypoint(args: argparse.Namespace) -> int:
    """Pose model alone: a bottom-up model finds everybody, a top-down model takes the whole image as one person's box.

    Returns:
        The exit status.
    """
    check_flags(args)
    return _run(args, args.model_dir, None, args.batch_size, args.threshold, "keypoint", bool(args.save_results),
                args.batch_size)


def _run(args: argparse.Namespace, keypoint_dir: str, detector_dir: str | None, batch_size: int, threshold: float, name: str,
         save_json: bool, images_together: int) -> int:
    output = OutputFolder(args.output_dir)
    is_video = bool(args.video_file) or args.camera_id >= 0
    inputs = None if is_video else ImageInputs(args.image_file, args.image_dir, not args.ignore_exif)
    if args.video_file:
        check_video_path(args.video_file)
    cards = [ModelCard.load(folder) for folder in (keypoint_dir, detector_dir) if folder is not None]
    if detector_dir is not None:
        refuse_bottom_up(cards)
    pipeline = load_pipeline(args, cards, batch_size)
    with ExitStack() as stack:
        json_path = output.file(f"{name}_{'video' if is_video else 'image'}_results.json") if save_json else None
        records = None if json_path is None else stack.enter_context(JsonResultsWriter(json_path, args.json_layout))
        drawings = output if getattr(args, "save_images", True) else None
        work = PoseRun(pipeline, drawings, records, threshold, args.filter_type if args.smooth else None)
        if inputs is not None:
            work.run_images(inputs, images_together)
        elif args.video_file:
            work.run_video(args.video_file, Path(args.video_file).name)
        else:
            work.run_video(args.camera_id, CAMERA_VIDEO)
    work.log_end()
    if args.run_benchmark:
        print_benchmark(pipeline.timer, args.cpu_threads)
    return 0 if inputs is None else inputs.exit_status()


def load_pipeline(args: argparse.Namespace, cards: list[ModelCard], batch_size: int) -> PosePipeline:
    """A pipeline from flags.

    Args:
        args: parsed flags.
        cards: the pose model's card and, if there is a detector, the detector's.
        batch_size: people in one run of the pose network.

    Raises:
        ConfigError: flags that mean nothing to a bottom-up model.
    """
    card = cards[0]
    if card.is_bottom_up:
        refuse_top_down_flags(args, card)
    runtime = load_runtime(card.model_dir, **runtime_options(args, card, batch_size))
    if card.is_bottom_up:
        return PosePipeline(None, BottomUpEstimator(runtime, card, args.skeleton), person_threshold=args.person_threshold)
    kind = PaddleDetTopDown if args.paddledet_crop else TopDownEstimator
    estimator = kind(runtime, card, bool(args.flip_test), batch_size, args.use_dark, args.skeleton)
    detector = None
    if len(cards) > 1:
        detector = BoxDetector(load_runtime(cards[1].model_dir, **runtime_options(args, cards[1], 1)), cards[1])
    return PosePipeline(detector, estimator, det_threshold=getattr(args, "det_threshold", 0.5))


def refuse_bottom_up(cards: list[ModelCard]) -> None:
    """Raise if either model of the unite command is a bottom-up model.

    Raises:
        ModelDirError: one is; the message says what it is for and which command runs it.
    """
    for card in cards:
        if card.is_bottom_up:
            command = f"python deploy/python/keypoint_infer.py --model_dir {card.place}"
            raise ModelDirError(bottom_up_alone(card, f"run it alone: {command}"))


def refuse_top_down_flags(args: argparse.Namespace, card: ModelCard) -> None:
    """Raise if a flag was given that means something to a top-down model only.

    Raises:
        ConfigError: --flip_test, --use_dark or --paddledet_crop.
    """
    refuse_flip_test(card, bool(args.flip_test))
    given = [f"--{name}" for name in ("use_dark", "paddledet_crop") if getattr(args, name)]
    if given:
        raise ConfigError(f"{' and '.join(given)}: for top-down models, and {card.place} is a bottom-up pose model, which has no "
                          "crops and refines its peaks in its own way: leave it out")
