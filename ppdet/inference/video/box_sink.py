"""The writing end of a detector's video."""
from __future__ import annotations

import numpy as np

from ppdet.inference.estimators.detections import Detections
from ppdet.inference.files.box_records import box_records
from ppdet.inference.files.json_list import JsonListWriter
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.video.reader import Frame
from ppdet.inference.video.writer import VideoWriter
from ppdet.visualize.box_drawer import BoxDrawer


class BoxVideoSink:
    """Draws and encodes frames, and appends JSON records.

    Args:
        drawer: draws boxes.
        threshold: smallest score that is drawn and counted.
        save_threshold: smallest score that is recorded.
        name: what the records call the video.
        timer: measures drawing and encoding.

    Attributes:
        video, json_list: where to write to; None for nowhere.
        frames, boxes: counts so far.
    """

    def __init__(self, drawer: BoxDrawer, threshold: float, save_threshold: float, name: str, timer: StageTimer) -> None:
        self.drawer, self.threshold, self.save_threshold, self.name, self.timer = drawer, threshold, save_threshold, name, timer
        self.video: VideoWriter | None = None
        self.json_list: JsonListWriter | None = None
        self.frames = self.boxes = 0
        self._last: np.ndarray | None = None

    def consume(self, frame: Frame, found: Detections | None) -> None:
        """Write one frame; one that did not decode (no boxes then) repeats the picture before it."""
        self.frames += 1
        if found is not None:
            self._last = frame.image
            self.boxes += int((found.scores >= self.threshold).sum())
            if self.json_list is not None:
                for record in box_records(found[found.scores >= self.save_threshold], frame.index, self.name):
                    self.json_list.append({**record, "frame": frame.index})
        if self.video is None:
            return
        with self.timer.stage("write"):
            if found is not None:
                self.video.write(self.drawer.draw(frame.image, found.boxes_xyxy, found.scores, found.labels, self.threshold))
            elif self._last is not None:
                self.video.write(self._last)
            else:
                self.video.write(np.zeros((self.video.size_wh[1], self.video.size_wh[0], 3), np.uint8))
