"""The writing end of a video pipeline."""
from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ppdet.inference.files.json_results import JsonResultsWriter
from ppdet.inference.results import PoseResult
from ppdet.inference.video.reader import Frame, VideoReader
from ppdet.inference.video.writer import VideoWriter
from ppdet.visualize.pose_drawer import PoseDrawer

if TYPE_CHECKING:
    from ppdet.inference.pipeline import PosePipeline


class VideoSink:
    """Draws and encodes frames and appends JSON records.

    Args:
        pipeline: for its skeleton and timer.
        reader: for frame rate and size.
        output_path, json_path, json_layout, keypoint_threshold: see `process_video`.
        stack: closes the files, in good order or not.
    """

    def __init__(
        self,
        pipeline: PosePipeline,
        reader: VideoReader,
        output_path: str | Path | None,
        json_path: str | Path | None,
        json_layout: str,
        keypoint_threshold: float,
        stack: ExitStack,
    ) -> None:
        self._timer = pipeline.timer
        self._drawer = PoseDrawer(pipeline.estimator.skeleton)
        self._threshold = keypoint_threshold
        self._video = self._json = None
        if output_path is not None:
            self._video = stack.enter_context(VideoWriter(output_path, reader.fps, reader.size_wh))
        if json_path is not None:
            self._json = stack.enter_context(JsonResultsWriter(json_path, json_layout))
        self._last = np.zeros((reader.size_wh[1], reader.size_wh[0], 3), np.uint8)

    def consume(self, item: tuple[Frame, PoseResult]) -> None:
        """Write one frame; one that did not decode repeats the picture before it."""
        frame, result = item
        if self._video is not None:
            if frame.image is not None:
                with self._timer.stage("draw"):
                    drawn = self._drawer.draw(frame.image, result.keypoints, result.scores, self._threshold, result.boxes,
                                              result.track_ids)
                self._last = frame.image
            else:
                drawn = self._last
            with self._timer.stage("encode"):
                self._video.write(drawn)
        if self._json is not None:
            self._json.add(result)

    def written(self) -> list[Path]:
        """The files that are there now."""
        return [part.path for part in (self._video, self._json) if part is not None]
