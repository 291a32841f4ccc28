"""Where in the tag map each person's keypoints lie. Legend: B batch, K keypoints, M max_people."""

from __future__ import annotations

from typing import Any, Dict, Optional

import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.samples.bottom_up import BottomUpSample
from ppdet.data.transforms.bottomup.codec_check import bottom_up_codec, require_input, require_joints


@register
class TagGenerate:
    """`tag_joints` of a warped sample, which ToHeatmaps has made already when it stands before.

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
