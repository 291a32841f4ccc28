"""Bottom-up targets: heatmaps of all people of an image, at every scale of the codec, and where in the tag map each one is.

Legend: B batch, P people, K keypoints, M max_people, h w cells of a map.
"""

from __future__ import annotations

from typing import Any, Dict, Optional

import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.samples.bottom_up import BottomUpSample
from ppdet.data.transforms.bottomup.codec_check import bottom_up_codec, require_input, require_joints


@register
class ToHeatmaps:
    """`heatmaps` (and `tag_joints`, which come with them) of a warped sample, as the shared codec defines them.

    Args:
        num_joints: checked against the skeleton.
        hmsize: sizes of the heatmaps, coarse first, checked against the codec.
        sigma: in cells, checked against the codec.
        codec, skeleton: shared.

    Raises:
        ConfigError: a value is not the codec's or the skeleton's.
    """

    __shared__ = ["codec", "skeleton"]

    def __init__(
        self,
        num_joints: Optional[int] = None,
        hmsize: Any = None,
        sigma: Optional[float] = None,
        codec: Any = None,
        skeleton: Any = None,
    ) -> None:
        require_joints("ToHeatmaps", num_joints, skeleton)
        self.codec = bottom_up_codec("ToHeatmaps", codec, None, hmsize, sigma=None if sigma is None else float(sigma))

    def __call__(self, sample: BottomUpSample, rng: np.random.Generator) -> BottomUpSample:
        assert sample.xy_input is not None and sample.image is not None, "ToHeatmaps belongs after RandomAffine"
        require_input("ToHeatmaps", self.codec, sample.image)
        sample.heatmaps, sample.tag_joints = self.codec.encode(sample.xy_input, sample.visible)
        return sample

    def apply_batch(self, batch: Dict[str, Any]) -> Dict[str, Any]:
        """heatmap_1x, heatmap_2x, ... (B, K, h, w) and tag_joints (B, M, K, 2) of a stacked batch, in place of its lists of
        xy_input (P, K, 2) and visible (P, K). Each map is written in place, without a copy."""
        require_input("ToHeatmaps", self.codec, batch["image"])
        people = list(zip(batch.pop("xy_input"), batch.pop("visible")))
        for number, (xy_input, visible) in enumerate(people):
            heatmaps, tags = self.codec.encode(xy_input, visible)
            for name, target in [*((f"heatmap_{2**i}x", maps) for i, maps in enumerate(heatmaps)), ("tag_joints", tags)]:
                if number == 0:
                    batch[name] = np.empty((len(people), *target.shape), target.dtype)
                batch[name][number] = target
        return batch


@register
class TagGenerate:
    """`tag_joints` of a warped sample, which an earlier ToHeatmaps has already made.

    Args:
        num_joints: checked against the skeleton.
        max_people: people whose tags are learnt in one image, the largest ones; checked against the codec.
        codec, skeleton: shared.

    Raises:
        ConfigError: a value is not the codec's or the skeleton's.
    """

    __shared__ = ["codec", "skeleton"]

    def __init__(
        self, num_joints: Optional[int] = None, max_people: Optional[int] = None, codec: Any = None, skeleton: Any = None
    ) -> None:
        require_joints("TagGenerate", num_joints, skeleton)
        self.codec = bottom_up_codec("TagGenerate", codec, max_people=max_people)

    def __call__(self, sample: BottomUpSample, rng: np.random.Generator) -> BottomUpSample:
        if sample.tag_joints is None:
            assert sample.xy_input is not None and sample.image is not None, "TagGenerate belongs after RandomAffine"
            require_input("TagGenerate", self.codec, sample.image)
            _, sample.tag_joints = self.codec.encode(sample.xy_input, sample.visible)
        return sample

    def apply_batch(self, batch: Dict[str, Any]) -> Dict[str, Any]:
        """tag_joints (B, M, K, 2) of a stacked batch, where ToHeatmaps has not made them."""
        if "tag_joints" not in batch:
            require_input("TagGenerate", self.codec, batch["image"])
            people = zip(batch["xy_input"], batch["visible"])
            batch["tag_joints"] = np.stack([self.codec.encode(xy_input, visible)[1] for xy_input, visible in people])
        return batch
