"""Runs a pose pipeline on images and videos: draws, records and counts people."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from ppdet.commands.deployed.report import log_end, remember_drawing
from ppdet.core.logger import get_logger
from ppdet.core.quantity import quantity
from ppdet.image.io import write_image
from ppdet.inference.files.coco_results import image_ids
from ppdet.inference.files.earlier_results import EarlierResults, video_digest
from ppdet.inference.files.inputs import ImageInputs
from ppdet.inference.files.mot_rows import MotRowsWriter
from ppdet.inference.files.output_folder import OutputFolder
from ppdet.inference.formats.pose_writer import PoseWriter
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.progress import Progress
from ppdet.inference.results import PoseResult
from ppdet.inference.tracking.settings import TrackerSettings
from ppdet.inference.video.process import VideoReport, process_video

# From this many images on, measuring the fastest batch size of the pose network pays off; it takes .15 s once.
WORTH_TUNING = 10


@dataclass
class PoseRun:
    """Work of one command with a pose pipeline.

    Attributes:
        pipeline: finds the people and their poses.
        drawings: folder of drawn images and videos, or None to draw nothing.
        records: where results are recorded, or None.
        threshold: smallest keypoint score that is drawn.
        filter_type: filter for the keypoints of videos, see `process_video`; None for no smoothing.
        max_frames: stop each video after so many frames; None for the whole video.
        names_videos: whether records name the video of each frame, for several sources.
        tracking: settings of the tracker for videos; None takes the defaults.
        rows: where the boxes and identities of videos are recorded, too, or None.
        earlier: what an earlier run has done and this one leaves out.
        images, people: counts so far of images and the people in them.
        frames, persons, person_frames: counts so far of video frames, the different people in them, and the poses.
        video_seconds: time that the videos took so far.
        written: what was written, besides the records.
    """

    pipeline: PosePipeline
    drawings: OutputFolder | None = None
    records: PoseWriter | None = None
    threshold: float = 0.5
    filter_type: str | None = None
    max_frames: int | None = None
    names_videos: bool = False
    tracking: TrackerSettings | None = None
    rows: MotRowsWriter | None = None
    earlier: EarlierResults = field(default_factory=EarlierResults)
    images: int = 0
    people: int = 0
    frames: int = 0
    persons: int = 0
    person_frames: int = 0
    video_seconds: float = 0.0
    written: list[Path] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        if self.records is not None:
            self.records.rank_by(self.pipeline.estimator.ranking_scores)

    def run_images(self, inputs: ImageInputs, together: int = 1) -> None:
        """Estimate, draw and record images, `together` at a time; one that cannot be read is noted in `inputs`."""
        if len(inputs.paths) >= WORTH_TUNING:
            self.pipeline.estimator.tune()
        if self.records is not None:
            self.records.expect(dict(zip(map(str, inputs.paths), image_ids(inputs.paths))))
        with ExitStack() as stack:
            progress = Progress("images", len(inputs.paths), "image")
            stack.callback(progress.close)
            for paths, images in inputs.groups(together):
                results = self.pipeline.estimate_batch(images, [str(path) for path in paths])
                for path, image, result in zip(paths, images, results):
                    if self.drawings is not None:
                        with self.pipeline.timer.stage("draw"):
                            drawn = result.draw(image, self.threshold)
                        file = self.drawings.file(f"{path.stem}_vis.jpg", path)
                        with self.pipeline.timer.stage("write"):
                            write_image(file, drawn)
                        remember_drawing(self.written, file)
                    self.add(result)
                    progress.step()

    def add(self, result: PoseResult) -> None:
        """Record and count the result of an image."""
        if self.records is not None:
            self.records.add(result)
        self.people += len(result)
        self.images += 1

    def run_video(self, source: str | int, name: str) -> VideoReport:
        """Estimate, draw and record a video, a stream or a camera.

        Args:
            source: path, URL, or number of a camera.
            name: of the drawn video.
        """
        path = None
        earlier = self.earlier.videos.get(name if self.names_videos else None)
        if earlier is not None:
            get_logger(__name__).info("%s: %d frames are done already; continuing after them", name, earlier.frames)
        if self.drawings is not None:
            drawn = name if earlier is None else f"{Path(name).stem}_from_{earlier.frames + 1}{Path(name).suffix}"
            path = self.drawings.file(drawn, source if isinstance(source, str) and "://" not in source else None)
        if self.records is not None:
            self.records.begin_video(video_digest(source) if earlier is None or earlier.digest is None else None)
        record = self._recorder(name)
        report = process_video(self.pipeline, source, path, keypoint_threshold=self.threshold, filter_type=self.filter_type,
                               max_frames=self.max_frames, record=record, tracking=self.tracking, earlier=earlier)  # fmt: skip
        self.frames += report.frames
        self.video_seconds += report.seconds
        self.persons += report.persons
        self.person_frames += report.people
        self.written += report.written
        for text in (report.jitter_text(), report.zone_text()):
            if text:
                get_logger(__name__).info("%s: %s", name, text)
        return report

    def _recorder(self, name: str) -> Callable[[PoseResult], None] | None:
        to: list[Callable[[PoseResult], None]] = []
        records = self.records
        if records is not None and self.names_videos:
            to.append(lambda result: records.add(result, name))
        elif records is not None:
            to.append(records.add)
        if self.rows is not None:
            to.append(self.rows.add)

        def record(result: PoseResult) -> None:
            for each in to:
                each(result)

        return record if to else None

    def log_end(self) -> None:
        """Log the summary of the command: amount, speed, and output files."""
        written = self.written + [each.path for each in (self.records, self.rows) if each is not None]
        of_images = [quantity(self.people, "person", "people")] if self.images or not self.frames else []
        in_videos = f"{quantity(self.persons, 'person')} in {quantity(self.person_frames, 'person-frame')}"
        of_videos = [in_videos] if self.frames else []
        log_end(self.images, self.frames, " and ".join(of_images + of_videos), self.started, written)
