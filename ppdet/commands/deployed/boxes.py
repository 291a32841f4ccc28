"""Boxes by an exported detector: what the command `detector` does once its flags are read."""
from __future__ import annotations

import argparse
import time
from contextlib import ExitStack
from pathlib import Path

from ppdet.commands.deployed.poses import CAMERA_VIDEO, report_benchmark, report_end
from ppdet.commands.flags.run_flags import check_flags, runtime_options
from ppdet.core.command import Terminated
from ppdet.core.errors import ModelDirError
from ppdet.image.io import write_image
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.files.box_records import box_records
from ppdet.inference.files.ids import image_ids
from ppdet.inference.files.inputs import ImageInputs
from ppdet.inference.files.json_list import JsonListWriter
from ppdet.inference.files.output_folder import OutputFolder
from ppdet.inference.model_card import ModelCard
from ppdet.inference.progress import Progress
from ppdet.inference.runtimes import load_runtime
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.video.box_sink import BoxVideoSink
from ppdet.inference.video.path import check_video_path
from ppdet.inference.video.reader import VideoReader
from ppdet.inference.video.writer import VideoWriter
from ppdet.visualize.box_drawer import BoxDrawer


def run_detect(args: argparse.Namespace) -> int:
    """Detect and draw boxes; returns the exit status."""
    check_flags(args)
    output = OutputFolder(args.output_dir)
    is_video = bool(args.video_file) or args.camera_id >= 0
    inputs = None if is_video else ImageInputs(args.image_file, args.image_dir, not args.ignore_exif)
    if args.video_file:
        check_video_path(args.video_file)
    card = ModelCard.load(args.model_dir)
    if not card.is_detector:
        raise ModelDirError(f"{args.model_dir} is a pose model (arch {card.arch}): use deploy/python/keypoint_infer.py, or "
                            "det_keypoint_unite_infer.py together with a detector")
    detector = BoxDetector(load_runtime(args.model_dir, **runtime_options(args, card, args.batch_size)), card, args.batch_size)
    timer = StageTimer()
    if inputs is None:
        _detect_video(args, detector, output, timer)
    else:
        _detect_images(args, detector, inputs, output, timer)
    if args.run_benchmark:
        report_benchmark(timer, args.cpu_threads)
    return 0 if inputs is None else inputs.exit_status()


def _detect_images(args: argparse.Namespace, detector: BoxDetector, inputs: ImageInputs, output: OutputFolder,
                   timer: StageTimer) -> None:
    start = time.perf_counter()
    drawer = BoxDrawer(detector.card.label_list)
    ids = dict(zip(inputs.paths, image_ids(inputs.paths)))
    boxes = done = 0
    written = [output.path]
    with ExitStack() as stack:
        progress = Progress("images", len(inputs.paths), "image")
        stack.callback(progress.close)
        json_list = _json_list(args, output, stack)
        for paths, images in inputs.groups(args.batch_size):
            with timer.stage("detect"):
                results = detector.detect(images)
            for path, image, found in zip(paths, images, results):
                if args.save_images:
                    drawn = drawer.draw(image, found.boxes_xyxy, found.scores, found.labels, args.threshold)
                    with timer.stage("write"):
                        write_image(output.file(path.name, path), drawn)
                if json_list is not None:
                    for record in box_records(found[found.scores >= args.save_threshold], ids[path], path.name):
                        json_list.append(record)
                done += 1
                boxes += int((found.scores >= args.threshold).sum())
                progress.step()
    report_end(f"{done} images", done, boxes, time.perf_counter() - start, written + _paths(json_list), "boxes")


def _detect_video(args: argparse.Namespace, detector: BoxDetector, output: OutputFolder, timer: StageTimer) -> None:
    start = time.perf_counter()
    is_camera = args.camera_id >= 0
    name = CAMERA_VIDEO if is_camera else Path(args.video_file).name
    sink = BoxVideoSink(BoxDrawer(detector.card.label_list), args.threshold, args.save_threshold, name, timer)
    with ExitStack() as stack:
        reader = stack.enter_context(VideoReader(args.camera_id if is_camera else args.video_file))
        if args.save_images:
            path = output.file(name, None if is_camera else args.video_file)
            sink.video = stack.enter_context(VideoWriter(path, reader.fps, reader.size_wh))
        sink.json_list = _json_list(args, output, stack)
        progress = Progress(reader.name, reader.frame_count)
        stack.callback(progress.close)
        try:
            for frame in reader:
                found = None
                if frame.image is not None:
                    with timer.stage("detect"):
                        found = detector.detect([frame.image])[0]
                sink.consume(frame, found)
                progress.step()
        except (KeyboardInterrupt, Terminated):  # the only ends of a camera
            if not is_camera:
                raise
    written = _paths(sink.video) + _paths(sink.json_list)
    report_end(f"{sink.frames} frames", sink.frames, sink.boxes, time.perf_counter() - start, written, "boxes")


def _json_list(args: argparse.Namespace, output: OutputFolder, stack: ExitStack) -> JsonListWriter | None:
    return stack.enter_context(JsonListWriter(output.file("bbox.json"))) if args.save_results else None


def _paths(writer: VideoWriter | JsonListWriter | None) -> list[Path]:
    return [] if writer is None else [writer.path]
