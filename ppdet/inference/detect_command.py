"""What infer.py does once its flags are read: a detector on images, a video or a camera."""
from __future__ import annotations

import argparse
import json
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ppdet.core.errors import ModelDirError
from ppdet.core.files import atomic_write
from ppdet.image.io import write_image
from ppdet.inference.command_flags import check_flags, runtime_options
from ppdet.inference.detections import Detections
from ppdet.inference.detector import BoxDetector
from ppdet.inference.image_inputs import ImageInputs
from ppdet.inference.model_card import ModelCard
from ppdet.inference.output_folder import OutputFolder
from ppdet.inference.pose_command import CAMERA_VIDEO, report_benchmark, report_end
from ppdet.inference.progress import Progress
from ppdet.inference.runtimes import load_runtime
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.video_reader import VideoReader
from ppdet.inference.video_writer import VideoWriter
from ppdet.visualize.box_drawer import BoxDrawer


def run_detect(args: argparse.Namespace) -> int:
    """Detect and draw boxes; returns the exit status."""
    check_flags(args)
    output = OutputFolder(args.output_dir)
    is_video = bool(args.video_file) or args.camera_id >= 0
    inputs = None if is_video else ImageInputs(args.image_file, args.image_dir)
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
    progress = Progress("images", len(inputs.paths), "image")
    records: list[dict[str, Any]] = []
    boxes = done = 0
    for paths, images in inputs.groups(args.batch_size):
        with timer.stage("detect"):
            results = detector.detect(images)
        for path, image, found in zip(paths, images, results):
            if args.save_images:
                drawn = drawer.draw(image, found.boxes_xyxy, found.scores, found.labels, args.threshold)
                with timer.stage("write"):
                    write_image(output.file(path.name, path), drawn)
            done += 1
            records.extend(coco_records(found, path, done))
            boxes += int((found.scores >= args.threshold).sum())
            progress.step()
    progress.close()
    written = [output.path]
    if args.save_results:
        written.append(output.file("bbox.json"))
        with atomic_write(written[-1], "w") as stream:
            json.dump(records, stream)
    report_end(f"{done} images", done, boxes, time.perf_counter() - start, written, "boxes")


def _detect_video(args: argparse.Namespace, detector: BoxDetector, output: OutputFolder, timer: StageTimer) -> None:
    start = time.perf_counter()
    is_camera = args.camera_id >= 0
    drawer = BoxDrawer(detector.card.label_list)
    frames = boxes = 0
    with ExitStack() as stack:
        reader = stack.enter_context(VideoReader(args.camera_id if is_camera else args.video_file))
        path = output.file(CAMERA_VIDEO if is_camera else Path(args.video_file).name, None if is_camera else args.video_file)
        writer = stack.enter_context(VideoWriter(path, reader.fps, reader.size_wh))
        progress = Progress(reader.name, reader.frame_count)
        stack.callback(progress.close)
        last = None
        for frame in reader:
            frames += 1
            progress.step()
            if frame.image is None:
                if last is not None:
                    writer.write(last)
                continue
            with timer.stage("detect"):
                found = detector.detect([frame.image])[0]
            boxes += int((found.scores >= args.threshold).sum())
            last = frame.image
            with timer.stage("write"):
                writer.write(drawer.draw(last, found.boxes_xyxy, found.scores, found.labels, args.threshold))
    report_end(f"{frames} frames", frames, boxes, time.perf_counter() - start, [writer.path], "boxes")


def coco_records(found: Detections, path: Path, number: int) -> list[dict[str, Any]]:
    """Detections as COCO results, which the keypoint datasets read as their `bbox_file`.

    Args:
        found: boxes of one image.
        path: the image; a name of digits is its COCO id.
        number: id for an image with any other name.
    """
    image_id = int(path.stem) if path.stem.isdigit() else number
    rows = []
    for (x1, y1, x2, y2), score, label in zip(found.boxes_xyxy.tolist(), found.scores.tolist(), found.labels.tolist()):
        rows.append({"image_id": image_id, "file_name": path.name, "category_id": label + 1,
                     "bbox": [round(x1, 3), round(y1, 3), round(x2 - x1, 3), round(y2 - y1, 3)], "score": round(score, 5)})
    return rows
