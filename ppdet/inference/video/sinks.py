"""Writes a processed video: drawn frames to a video file, records to a JSON file.

Drawing and recording run in the thread that hands over the frames, encoding in one of its own.
"""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ppdet.inference.estimators.detections import Detections
from ppdet.inference.files.coco_results import box_records
from ppdet.inference.formats.json_list import JsonListWriter
from ppdet.inference.formats.json_results import JsonResultsWriter
from ppdet.inference.results import PoseResult
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.video.background import BackgroundSink
from ppdet.inference.video.buffers import FrameBuffers
from ppdet.inference.video.reader import Frame
from ppdet.inference.video.writer import VideoWriter
from ppdet.visualize.box_drawer import BoxDrawer
from ppdet.visualize.pose_drawer import PoseDrawer


class FrameSink:
    """Writes drawn frames to a video.

    Args:
        timer: measures drawing and encoding.
        video: where to write; None writes nothing.

    Attributes:
        video: see above.
        frames: number of frames so far.
    """

    def __init__(self, timer: StageTimer, video: VideoWriter | None = None) -> None:
        self.timer, self.video = timer, video
        self.frames = 0
        self._last: np.ndarray | None = None
        self._last_index: int | None = None
        self._buffers = FrameBuffers()
        self._encoder: BackgroundSink[np.ndarray] | None = None

    def write(self, frame: Frame, draw: Callable[[np.ndarray], np.ndarray]) -> None:
        """Write one frame, with what `draw` draws on a copy of it.

        A frame that did not decode repeats the one before it. In place of frames that a live source dropped, the next one is
        repeated, so that the video keeps its pace.
        """
        missed = 0 if self._last_index is None else max(0, frame.index - self._last_index - 1)
        self._last_index = frame.index
        self.frames += 1
        if frame.image is not None:
            self._last = frame.image
        if self.video is None:
            return
        if frame.image is not None:
            with self.timer.stage("draw"):
                drawn = draw(self._buffers.copy_of(frame.image))
        elif self._last is not None:
            drawn = self._last
        else:
            drawn = np.zeros((self.video.size_wh[1], self.video.size_wh[0], 3), np.uint8)
        if self._encoder is None:
            self._encoder = BackgroundSink(self._encode, ahead=2)
        for _ in range(1 + missed):
            self._encoder.put(drawn)

    def finish(self) -> None:
        """Wait until every frame is in the video; raise the encoder's error, if any."""
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            encoder.close()

    def abandon(self) -> None:
        """Wait for the pending frames, without raising errors."""
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            encoder.abandon()

    def _encode(self, drawn: np.ndarray) -> None:
        assert self.video is not None
        with self.timer.stage("encode"):
            self.video.write(drawn)


class PoseVideoSink(FrameSink):
    """Draws poses and records results.

    Args:
        drawer: draws poses.
        threshold: smallest keypoint score that is drawn.
        timer: measures drawing and encoding.
        video, records: where to write; None writes nothing.
        record: called with each result in order, or None.

    Attributes:
        people: number of people in all frames so far.
    """

    def __init__(
        self,
        drawer: PoseDrawer,
        threshold: float,
        timer: StageTimer,
        video: VideoWriter | None,
        records: JsonResultsWriter | None,
        record: Callable[[PoseResult], None] | None = None,
    ) -> None:
        super().__init__(timer, video)
        self.drawer, self.threshold, self.records, self.record = drawer, threshold, records, record
        self.people = 0

    def consume(self, item: tuple[Frame, PoseResult]) -> None:
        """Write one frame and its result."""
        frame, result = item
        self.write(frame, lambda image: result.draw_by(self.drawer, image, self.threshold, in_place=True))
        self.people += len(result)
        if self.records is not None:
            self.records.add(result)
        if self.record is not None:
            self.record(result)

    def written(self) -> list[Path]:
        """The files that exist now."""
        return [part.path for part in (self.video, self.records) if part is not None and part.path.is_file()]


class BoxVideoSink(FrameSink):
    """Draws boxes and records them.

    Args:
        drawer: draws boxes.
        threshold: smallest score that is drawn and counted.
        save_threshold: smallest score that is recorded.
        name: name of the video in the records.
        timer: measures drawing and encoding.

    Attributes:
        json_list: where to record; None records nothing.
        boxes: number of boxes in all frames so far.
    """

    def __init__(self, drawer: BoxDrawer, threshold: float, save_threshold: float, name: str, timer: StageTimer) -> None:
        super().__init__(timer)
        self.drawer, self.threshold, self.save_threshold, self.name = drawer, threshold, save_threshold, name
        self.json_list: JsonListWriter | None = None
        self.boxes = 0

    def consume(self, frame: Frame, found: Detections | None) -> None:
        """Write one frame; `found` is None if it did not decode."""
        if found is None:
            self.write(frame, lambda image: image)
            return
        self.write(frame, lambda image: self.drawer.draw(image, found.boxes_xyxy, found.scores, found.labels, self.threshold))
        self.boxes += int((found.scores >= self.threshold).sum())
        if self.json_list is not None:
            for record in box_records(found[found.scores >= self.save_threshold], frame.index, self.name):
                self.json_list.append({**record, "frame": frame.index})
