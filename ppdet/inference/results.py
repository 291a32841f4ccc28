"""What was found in one image or frame.

Legend: N people, K keypoints, H W pixels.
"""
from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ppdet.core.errors import DataError

if TYPE_CHECKING:
    from ppdet.skeletons import Skeleton


@dataclass(frozen=True)
class PoseResult:
    """People of one image or frame.

    Attributes:
        boxes: (N, 4) float32 xyxy, image pixels.
        box_scores: (N,) float32.
        keypoints: (N, K, 2) float32, image pixels.
        scores: (N, K) float32, one for each keypoint.
        skeleton: names and links of the keypoints.
        image_wh: size of the image.
        path: file that the image came from, or None.
        frame_id: number of the frame in its video from 1 on, or None.
        timestamp_ms: time of the frame in its video, or None.
        track_ids: (N,) identities that last through a video, or None.
        image: (H, W, 3) RGB uint8, the picture itself, for `draw`; None for frames of a video, whose pictures would fill the
            memory, and for files of a list or folder, which `draw` reads again.
    """

    boxes: np.ndarray
    box_scores: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray
    skeleton: Skeleton
    image_wh: tuple[int, int]
    path: str | None = None
    frame_id: int | None = None
    timestamp_ms: float | None = None
    track_ids: np.ndarray | None = None
    image: np.ndarray | None = field(default=None, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def person_scores(self) -> np.ndarray:
        """(N,) mean of each person's keypoint scores (PaddleDetection's person score)."""
        return self.scores.mean(axis=1) if len(self) else np.zeros(0, np.float32)

    def draw(self, image: np.ndarray | None = None, threshold: float = 0.5, draw_boxes: bool = True) -> np.ndarray:
        """A copy of the image with the poses drawn on it.

        Args:
            image: (H, W, 3) RGB uint8, the image that the result is of. None takes the result's own; of a frame of a video,
                pass the frame.
            threshold: smallest keypoint score that is drawn.
            draw_boxes: draw the boxes as well.

        Raises:
            DataError: no image is given and none is known, or it has another size than the result's.
            MediaError: the file that the result is of no longer reads.
        """
        from ppdet.visualize.pose_drawer import PoseDrawer

        image = self._own_image() if image is None else image
        if tuple(image.shape[1::-1]) != tuple(self.image_wh):
            raise DataError(f"the result is of an image of {self.image_wh[0]} x {self.image_wh[1]} pixels and cannot be drawn on "
                            f"one of shape {image.shape}: pass the image that it is of, unscaled; files are turned as their EXIF "
                            "orientation says (ppdet.image.read_image(path, apply_orientation=True))")
        drawer = PoseDrawer(self.skeleton, draw_boxes=draw_boxes)
        return drawer.draw(image, self.keypoints, self.scores, threshold, self.boxes, self.track_ids)

    def _own_image(self) -> np.ndarray:
        if self.image is not None:
            return self.image
        if self.frame_id is not None:
            raise DataError(f"frame {self.frame_id} is not kept, since the frames of a video would fill the memory: pass the "
                            "frame, result.draw(frame); process_video of ppdet.inference writes a whole video with poses")
        if self.path is None:
            raise DataError("the result has no picture: pass the one that it is of, result.draw(image)")
        from ppdet.image.io import read_image

        return read_image(self.path, apply_orientation=True)

    def to_dict(self) -> dict[str, Any]:
        """Plain content with names: one entry for each person, keypoints by name as [x, y, score]."""
        people = []
        for index in range(len(self)):
            rows = np.concatenate([self.keypoints[index], self.scores[index][:, None]], axis=1)
            person = {
                "box": rounded(self.boxes[index]),
                "box_score": round(float(self.box_scores[index]), 5),
                "score": round(float(self.person_scores[index]), 5),
                "keypoints": {name: rounded(row) for name, row in zip(self.skeleton.names, rows)},
            }
            if self.track_ids is not None:
                person["id"] = int(self.track_ids[index])
            people.append(person)
        content: dict[str, Any] = {"image": self.path, "frame": self.frame_id, "timestamp_ms": self.timestamp_ms}
        content = {key: value for key, value in content.items() if value is not None}
        return {**content, "width": int(self.image_wh[0]), "height": int(self.image_wh[1]), "people": people}

    def to_json(self, indent: int | None = None) -> str:
        """`to_dict` as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent)


def rounded(values: np.ndarray, digits: int = 4) -> list[float]:
    """Numbers as JSON wants them; four digits are a hundredth of what a pose can be known to."""
    return [round(float(value), digits) for value in values]
