"""The sample of a bottom-up pipeline: a whole image with all its people.

Legend: P people, K keypoints, H W source pixels, h w input pixels (cells for maps), M max_people.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import List, Optional, Union

import numpy as np

from ppdet.geometry.crop import Crop


@dataclass
class BottomUpSample:
    """An image, its people and the regions that training ignores.

    Convention: pixel centres are integers. `xy_image`, `boxes_xyxy` and `ignore` stay in the source image as it lies on the
    disk; `xy_input` and `masks` follow the warp and whatever comes after it.

    Attributes:
        image_path: file of the source image.
        image_id: id in the annotation file.
        index: position in the dataset.
        xy_image: (P, K, 2) float64, largest person first.
        visible: (P, K) float64 in {0, 1}; labelled-but-hidden keypoints count as visible.
        boxes_xyxy: (P, 4) float64.
        area: (P,) source pixels squared.
        image: (H, W, 3) RGB uint8, read-only and maybe shared; after the warp (h, w, 3), our own.
        image_wh: width and height of the source image.
        ignore: (H, W) bool, True on people without labelled keypoints; None: nowhere.
        frame: the source rectangle that `image` shows, after the warp.
        xy_input: (P, K, 2) float64 in pixels of the warped image.
        masks: (h, w) float32 for each map of the codec, 1 where it is learnt.
        heatmaps: (K, h, w) float32 for each map.
        tag_joints: (M, K, 2) int64, see `AssociativeEmbeddingCodec.encode`.
    """

    image_path: str
    image_id: Union[int, str]
    index: int
    xy_image: np.ndarray
    visible: np.ndarray
    boxes_xyxy: np.ndarray
    area: np.ndarray
    image: Optional[np.ndarray] = None
    image_wh: tuple[int, int] = (0, 0)
    ignore: Optional[np.ndarray] = None
    frame: Optional[Crop] = None
    xy_input: Optional[np.ndarray] = None
    masks: List[np.ndarray] = field(default_factory=list)
    heatmaps: List[np.ndarray] = field(default_factory=list)
    tag_joints: Optional[np.ndarray] = None

    def keep_people(self, rows: np.ndarray) -> None:
        """Leave only some people (mask or numbers). In place."""
        self.xy_image, self.visible = self.xy_image[rows], self.visible[rows]
        self.boxes_xyxy, self.area = self.boxes_xyxy[rows], self.area[rows]
        if self.xy_input is not None:
            self.xy_input = self.xy_input[rows]
