"""Heatmaps and keypoints of a batch of crops, with or without flip test.

Axes: B crops, K keypoints, H W input pixels, h w heatmap cells.
"""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np
import paddle

from ppdet.codecs import HeatmapCodec
from ppdet.core.errors import DataError
from ppdet.engine.precision import Precision
from ppdet.skeletons import Skeleton


class PosePredictor:
    """Runs a top-down model on crops and decodes in source-image pixels.

    Args:
        model: returns {"heatmap": (B,K,h,w)} for (B,3,H,W) images; put into eval mode here.
        codec: decodes and merges; the one that made the crops.
        skeleton: mirror pairs.
        flip_test: also run the mirrored crops (in the same batch) and average.
        precision: mixed precision of the forward pass; None is float32.
    """

    def __init__(
        self,
        model: Any,
        codec: HeatmapCodec,
        skeleton: Skeleton,
        flip_test: bool = False,
        precision: Precision | None = None,
    ) -> None:
        model.eval()
        self._model = model
        self.codec, self.skeleton = codec, skeleton
        self.flip_test = bool(flip_test)
        self._precision = precision or Precision()

    def __call__(self, batch: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Keypoints of one reader batch: image (B,3,H,W), center_xy and size_wh (B,2), rotation (B,).

        Returns:
            xy_image (B,K,2) in source-image pixels and scores (B,K).
        """
        crop = self.codec.crop_at(batch["center_xy"], batch["size_wh"], batch["rotation"])
        return self.codec.decode(self.heatmaps(batch["image"]), crop)

    def heatmaps(self, images: Any) -> np.ndarray:
        """(B,K,h,w) float32 heatmaps of (B,3,H,W) normalised crops, averaged with the mirrored ones under flip test.

        Raises:
            DataError: the model's keypoints are not the skeleton's.
        """
        images = paddle.to_tensor(images)
        if self.flip_test:
            images = paddle.concat([images, paddle.flip(images, axis=[3])])
        with paddle.no_grad(), self._precision.autocast():
            heatmaps = self._model(images)["heatmap"].astype("float32").numpy()
        if heatmaps.shape[1] != self.skeleton.num_keypoints:
            raise DataError(
                f"the model gives {heatmaps.shape[1]} keypoints, skeleton {self.skeleton.name!r} has "
                f"{self.skeleton.num_keypoints}. Set `num_joints` and `skeleton` to what the model was trained for."
            )
        if not self.flip_test:
            return heatmaps
        plain, mirrored = np.split(heatmaps, 2)
        return self.codec.merge_flipped(plain, mirrored, self.skeleton)
