"""Poses by exported models: implementation of the commands `unite` and `keypoint`."""
from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from ppdet.commands.deployed.pose_run import PoseRun
from ppdet.commands.deployed.report import print_benchmark
from ppdet.commands.flags.format_flags import format_options
from ppdet.commands.flags.run_flags import CAMERA_VIDEO, check_flags, chosen_filter, runtime_options, split_threads
from ppdet.commands.flags.tracking_flags import MOT_THRESHOLD, chosen_zones, tracker_settings
from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger
from ppdet.inference.box_centers import BoxCenters
from ppdet.inference.estimators.base import PERSON_THRESHOLD, EstimatorOptions, words_of
from ppdet.inference.estimators.box_source import BoxSource
from ppdet.inference.estimators.registry import estimator_class, load_detector, pose_estimator_class
from ppdet.inference.files.given_boxes import FileBoxes
from ppdet.inference.files.inputs import ImageInputs
from ppdet.inference.files.mot_rows import MotRowsWriter
from ppdet.inference.files.output_folder import OutputFolder
from ppdet.inference.files.urls import output_name
from ppdet.inference.formats.json_results import JsonResultsWriter
from ppdet.inference.formats.pose_writer import PoseWriter
from ppdet.inference.formats.table import format_named, open_writer, require
from ppdet.inference.model_card import ModelCard
from ppdet.inference.model_opening import category_of, is_box_file
from ppdet.inference.onnx_models.loading import load_card
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.presets import BALANCED, preset_of
from ppdet.inference.runtimes.registry import load_runtime
from ppdet.inference.video.opening import is_live
from ppdet.inference.video.path import check_video_path


def run_unite(args: argparse.Namespace) -> int:
    """Detector and pose model on images, a video or a camera; returns the exit status."""
    check_flags(args)
    return _run(args, args.keypoint_model_dir, args.det_model_dir, args.keypoint_batch_size, args.keypoint_threshold,
                "det_keypoint_unite", bool(args.save_res), 1)


def run_mot_unite(args: argparse.Namespace) -> int:
    """Detector, tracker and, if there is one, pose model on a video, a camera or images; returns the exit status.

    Raises:
        ConfigError: a top-down model without a detector, or no model at all.
    """
    check_flags(args)
    card = None if args.keypoint_model_dir is None else ModelCard.load(args.keypoint_model_dir)
    detector_dir = args.mot_model_dir
    if card is None:
        if detector_dir is None or is_box_file(detector_dir):
            raise ConfigError("--mot_model_dir and --keypoint_model_dir are missing: give the folder of an exported FairMOT or "
                              "detector, of a pose model, or both")
    elif pose_estimator_class(card).finds_people_itself:
        if detector_dir is not None:
            get_logger(__name__).warning("--mot_model_dir %s is not used: %s is a %s, which finds people by itself, and these "
                                         "are followed", detector_dir, card.place, words_of(card))
        detector_dir = None
    elif detector_dir is None:
        raise ConfigError(f"--mot_model_dir is missing: {card.place} is a {words_of(card)}, which needs the boxes of a detector; "
                          "give the folder of an exported FairMOT or PicoDet")
    args.det_threshold = args.mot_threshold
    is_video = bool(args.video_file) or args.camera_id >= 0
    if detector_dir is not None and is_video and args.mot_threshold != MOT_THRESHOLD:
        _warn_of_own_threshold(detector_dir, args.mot_threshold)
    if is_video and args.json_layout == "paddledet":
        args.json_layout = "paddledet_tracked"  # PaddleDetection writes no JSON of videos here, so no script reads its layout
    name = "mot_keypoint_unite" if is_video else "det_keypoint_unite"  # PaddleDetection's name for the JSON of images
    return _run(args, args.keypoint_model_dir, detector_dir, args.keypoint_batch_size, args.keypoint_threshold, name,
                bool(args.save_res), 1)


def _warn_of_own_threshold(detector_dir: str, threshold: float) -> None:
    if not is_box_file(detector_dir) and hasattr(estimator_class(load_card(detector_dir)), "follower"):
        get_logger(__name__).warning("--mot_threshold %s is not used: in videos the tracker of %s decides by its own settings, "
                                     "give conf_thres in --tracker_config (docs/tracking.md)", threshold, detector_dir)


def run_keypoint(args: argparse.Namespace) -> int:
    """Pose model alone: a bottom-up model finds all people, a top-down model takes the whole image as one person's box, or the
    boxes of a file.

    Returns:
        The exit status.

    Raises:
        ConfigError: a file of boxes that is not JSON, or boxes for a video.
    """
    check_flags(args)
    if args.bbox_file is not None:
        if not is_box_file(args.bbox_file):
            raise ConfigError(f"--bbox_file {args.bbox_file}: give a JSON file of boxes, COCO annotations or results; for a "
                              "detector run det_keypoint_unite_infer.py")
        if not (args.image_file or args.image_dir):
            raise ConfigError(f"--bbox_file {args.bbox_file} has boxes of images by their names, not of the frames of a video: "
                              "give --image_file or --image_dir, or run det_keypoint_unite_infer.py with a detector")
        args.det_threshold = args.bbox_threshold
    return _run(args, args.model_dir, args.bbox_file, args.batch_size, args.threshold, "keypoint", bool(args.save_results),
                args.batch_size)


def _run(args: argparse.Namespace, keypoint_dir: str | None, detector_dir: str | None, batch_size: int, threshold: float,
         name: str, save_json: bool, images_together: int) -> int:
    if args.format is not None:
        require(format_named(args.format))
    output = OutputFolder(args.output_dir)
    is_video = bool(args.video_file) or args.camera_id >= 0
    inputs = None if is_video else ImageInputs(args.image_file, args.image_dir, not args.ignore_exif, args.image_range)
    if args.video_file:
        check_video_path(args.video_file)
    box_file = detector_dir if detector_dir is not None and is_box_file(detector_dir) else None
    detector_dir = detector_dir if box_file is None else None
    cards = [load_card(folder) for folder in (keypoint_dir, detector_dir) if folder is not None]
    boxes = None if box_file is None else FileBoxes(box_file, category_of(cards[0]))
    if keypoint_dir is not None and (detector_dir is not None or boxes is not None):
        for card in cards:
            command = f"python deploy/python/keypoint_infer.py --model_dir {card.place}"
            estimator_class(card).refuse_detector(card, f"run it alone: {command}")
    pipeline = followed_boxes(args, cards[0]) if keypoint_dir is None else load_pipeline(args, cards, batch_size, boxes)
    tracking = tracker_settings(args, pipeline.detector)
    with ExitStack() as stack:
        records = None
        if save_json or args.format is not None:
            records = stack.enter_context(_records(args, output, f"{name}_{'video' if is_video else 'image'}_results", threshold))
        drawings = output if getattr(args, "save_images", True) else None
        rows = None
        if getattr(args, "save_mot_txts", False) and is_video:
            video = output_name(args.video_file) if args.video_file else CAMERA_VIDEO
            rows = stack.enter_context(MotRowsWriter(output.file(f"{Path(video).stem}.txt")))
        work = PoseRun(pipeline, drawings, records, threshold, chosen_filter(args),
                       tracking=tracking, rows=rows)
        if inputs is not None:
            work.run_images(inputs, images_together)
            status = inputs.exit_status()
        elif args.video_file:
            status = work.run_video(args.video_file, output_name(args.video_file)).exit_status()
        else:
            status = work.run_video(args.camera_id, CAMERA_VIDEO).exit_status()
    work.log_end()
    if args.run_benchmark:
        print_benchmark(pipeline.timer, args.cpu_threads, work.frames, work.video_seconds)
    return status


def followed_boxes(args: argparse.Namespace, card: ModelCard) -> PosePipeline:
    """A pipeline with only a detector, from flags: people have identities but no poses.

    Raises:
        ConfigError: a detector interval: without poses, nobody would be found between its frames.
    """
    if getattr(args, "det_interval", None) not in (None, 1):
        raise ConfigError(f"--det_interval {args.det_interval} needs a pose model, whose keypoints locate people "
                          "between the detector's frames: give --keypoint_model_dir, or leave --det_interval out")
    workers = split_threads(args, _has_file(args))
    detector = load_detector(load_runtime(str(card.model_dir), **runtime_options(args, card, 1)), card)
    return PosePipeline(detector, BoxCenters(card), det_threshold=args.det_threshold, zones=chosen_zones(args), workers=workers)


def _has_file(args: argparse.Namespace) -> bool:
    """Whether the source is a video file."""
    return bool(args.video_file) and not is_live(args.video_file)


def _records(args: argparse.Namespace, output: OutputFolder, stem: str, threshold: float) -> PoseWriter:
    """The writer of the results: PaddleDetection's JSON or, with `--format`, that format."""
    if args.format is None:
        return JsonResultsWriter(output.file(f"{stem}.json"), args.json_layout)
    path = output.file(f"{stem}{format_named(args.format).suffix}")
    return open_writer(path, args.format, format_options(args, threshold))


def load_pipeline(
    args: argparse.Namespace, cards: list[ModelCard], batch_size: int, boxes: BoxSource | None = None
) -> PosePipeline:
    """A pipeline from flags.

    Args:
        args: parsed flags.
        cards: the pose model's card and, if there is a detector, the detector's.
        batch_size: people in one run of the pose network.
        boxes: source of boxes instead of a detector.

    Raises:
        ConfigError: flags that this kind of model does not support.
    """
    card = cards[0]
    options = EstimatorOptions(bool(args.flip_test), batch_size, args.use_dark, args.skeleton, bool(args.paddledet_crop))
    kind = pose_estimator_class(card, options)
    preset = preset_of(getattr(args, "preset", BALANCED))
    options = replace(options, flip_test=options.flip_test or preset.flip_test and "flip_test" in kind.accepts)
    workers = split_threads(args, _has_file(args), None if kind.finds_people_itself else card.model_dir)
    estimator = kind.from_options(load_runtime(str(card.model_dir), **runtime_options(args, card, batch_size)), card, options)
    detector = boxes
    if len(cards) > 1:
        how = {**runtime_options(args, cards[1], 1), "cpu_threads": args.detector_threads}
        detector = load_detector(load_runtime(str(cards[1].model_dir), **how), cards[1])
    return PosePipeline(detector, estimator, det_threshold=getattr(args, "det_threshold", 0.5),
                        person_threshold=getattr(args, "person_threshold", PERSON_THRESHOLD), zones=chosen_zones(args),
                        workers=workers, det_interval=getattr(args, "det_interval", None),
                        preset=getattr(args, "preset", BALANCED), image_range=args.image_range)
