"""The sample of a top-down pipeline: one person of one image.

Legend: K keypoints, H W source pixels, h w input pixels (heatmap cells for `target`), P cut-outs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Union

import numpy as np


@dataclass
class PersonSample:
    """One person: the place in the source image and, after the transforms, the crop and the training target.

    Convention: pixel centres are integers, (0, 0) is the centre of the top-left pixel. `center_xy`, `size_wh` and
    `xy_image` are in pixels of the source image as it lies on the disk, always. A mirrored sample does not move in
    that frame: only its keypoints swap sides (left <-> right), and the crop is taken mirrored, in the same warp that
    scales and rotates. This equals mirroring the whole image (x -> W - 1 - x) first, without the cost.

    Attributes:
        image_path: file of the source image.
        image_id: id in the annotation file.
        index: position in the dataset; unique, so a gathered evaluation can be put back in order.
        center_xy: (2,) float64, centre of the source rectangle that the crop shows.
        size_wh: (2,) float64, width and height of that rectangle (padding included, at the input's aspect).
        rotation: degrees, in the sense of `ppdet.geometry.crop.Crop.rotation`.
        xy_image: (K, 2) float64.
        visible: (K,) float64 in {0, 1}; labelled-but-hidden keypoints count as visible, as in every top-down recipe.
        box_xyxy: (4,) float64 the box itself, neither padded nor widened to the input's aspect; if the source has one.
        box_score: score of the detector's box, 1 for annotated boxes.
        area: source pixels squared, for OKS.
        category_row: row in the annotation file's list of categories, -1 where unknown.
        image: (H, W, 3) RGB uint8, read-only and maybe shared with other samples; after the crop (h, w, 3), our own.
        mirrored: the crop shows its content mirrored left to right, see above.
        cutouts: (P, 4) discs to cut out after the crop: keypoint number, dx, dy, radius, in units of the input's width.
        xy_input: (K, 2) float64 in crop pixels, after the crop.
        target, target_weight: (K, h, w) float32, or (K, bins of x + bins of y) of SimCC, and (K,) float32, after encoding.
    """

    image_path: str
    image_id: Union[int, str]
    index: int
    center_xy: np.ndarray
    size_wh: np.ndarray
    xy_image: np.ndarray
    visible: np.ndarray
    rotation: float = 0.0
    box_xyxy: Optional[np.ndarray] = None
    box_score: float = 1.0
    area: float = 0.0
    category_row: int = -1
    image: Optional[np.ndarray] = None
    mirrored: bool = False
    cutouts: Optional[np.ndarray] = None
    xy_input: Optional[np.ndarray] = None
    target: Optional[np.ndarray] = None
    target_weight: Optional[np.ndarray] = None
