"""Runs a detector on images and videos: draws, records and counts boxes."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ppdet.commands.deployed.report import log_end, remember_drawing
from ppdet.core.command import Terminated
from ppdet.core.quantity import quantity
from ppdet.image.io import drawn_name, write_image
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.files.coco_results import box_records, image_ids
from ppdet.inference.files.inputs import ImageInputs
from ppdet.inference.files.output_folder import OutputFolder
from ppdet.inference.formats.json_list import JsonListWriter
from ppdet.inference.progress import Progress
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.video.background import BackgroundSource
from ppdet.inference.video.reader import VideoReader
from ppdet.inference.video.sinks import BoxVideoSink
from ppdet.inference.video.writer import VideoWriter
from ppdet.visualize.box_drawer import BoxDrawer


@dataclass
class BoxRun:
    """Work of one command with a detector.

    Attributes:
        detector: finds boxes.
        drawings: folder of drawn images and videos, or None to draw nothing.
        records: where boxes are recorded, or None.
        threshold: smallest score that is drawn and counted.
        save_threshold: smallest score that is recorded.
        max_frames: stop each video after so many frames; None for the whole video.
        timer: measures the stages.
        images, frames, boxes: counts so far.
        written: what was written, besides the records.
    """

    detector: BoxDetector
    drawings: OutputFolder | None = None
    records: JsonListWriter | None = None
    threshold: float = 0.5
    save_threshold: float = 0.0
    max_frames: int | None = None
    timer: StageTimer = field(default_factory=StageTimer)
    images: int = 0
    frames: int = 0
    boxes: int = 0
    written: list[Path] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    def run_images(self, inputs: ImageInputs, together: int = 1) -> None:
        """Detect, draw and record images, `together` at a time; one that cannot be read is noted in `inputs`."""
        ids = dict(zip(inputs.paths, image_ids(inputs.paths)))
        with ExitStack() as stack:
            progress = Progress("images", len(inputs.paths), "image")
            stack.callback(progress.close)
            for paths, images in inputs.groups(together):
                with self.timer.stage("detect"):
                    results = self.detector.detect(images)
                for path, image, found in zip(paths, images, results):
                    self.add(image, found, path.name, ids[path], path)
                    progress.step()

    def add(self, image: np.ndarray, found: Detections, name: str, image_id: int, path: Path | None = None) -> None:
        """Draw, record and count the boxes of an image.

        Args:
            image: (H, W, 3) RGB uint8.
            found: its boxes.
            name: of the image.
            image_id: its number in the records.
            path: its file, which is never overwritten; None if it has none.
        """
        if self.drawings is not None:
            drawer = BoxDrawer(self.detector.card.label_list)
            drawn = drawer.draw(image, found.boxes_xyxy, found.scores, found.labels, self.threshold)
            file = self.drawings.file(drawn_name(name), path)
            with self.timer.stage("write"):
                write_image(file, drawn)
            remember_drawing(self.written, file)
        if self.records is not None:
            for record in box_records(found[found.scores >= self.save_threshold], image_id, name):
                self.records.append(record)
        self.images += 1
        self.boxes += int((found.scores >= self.threshold).sum())

    def run_video(self, source: str | int, name: str) -> int:
        """Detect, draw and record a video, a stream or a camera.

        Args:
            source: path, URL, or number of a camera.
            name: of the drawn video, and of the video in the records.

        Returns:
            1 if frames were missing or did not decode, else 0.
        """
        sink = BoxVideoSink(BoxDrawer(self.detector.card.label_list), self.threshold, self.save_threshold, name, self.timer)
        sink.json_list = self.records
        with ExitStack() as stack:
            reader = stack.enter_context(VideoReader(source))
            if self.drawings is not None:
                path = self.drawings.file(name, source if isinstance(source, str) and "://" not in source else None)
                sink.video = stack.enter_context(VideoWriter(path, reader.fps, reader.size_wh))
            progress = Progress(reader.name, reader.frames_to_read(self.max_frames))
            stack.callback(progress.close)
            stack.callback(sink.abandon)  # before the video is finished, also if this ends by an error
            frames = BackgroundSource(iter(reader))
            stack.callback(frames.close)
            try:
                for frame in frames:
                    found = None
                    if frame.image is not None:
                        with self.timer.stage("detect"):
                            found = self.detector.detect([frame.image])[0]
                    sink.consume(frame, found)
                    progress.step()
                    if self.max_frames is not None and sink.frames >= self.max_frames:
                        break
            except (KeyboardInterrupt, Terminated):  # the only ends of a camera
                if not reader.is_live:
                    raise
            sink.finish()
        self.frames += sink.frames
        self.boxes += sink.boxes
        self.written += [] if sink.video is None else [sink.video.path]
        return reader.exit_status()

    def log_end(self) -> None:
        """Log the summary of the command: amount, speed, and output files."""
        written = self.written + ([self.records.path] if self.records is not None else [])
        log_end(self.images, self.frames, quantity(self.boxes, "box", "boxes"), self.started, written)
