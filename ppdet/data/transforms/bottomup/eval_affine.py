"""The whole image at the size a bottom-up network sees it."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.transforms.bottomup.codec_check import bottom_up_codec
from ppdet.data.transforms.checks import require_same


@register
class EvalAffine:
    """Short side to `size`, long side in proportion and up to a multiple of `stride`, as the codec's `frame_for_image`.

    Images of different shapes come out different: batch_size 1. The evaluator frames the source images itself, for it may need
    them at several scales; in a TestReader this describes the preprocessing of an exported model.

    Args:
        size: pixels of the short side; the codec's input.
        stride: the codec's `size_divisor`.
        codec: shared.

    Raises:
        ConfigError: a value is not the codec's.
    """

    __shared__ = ["codec"]

    def __init__(self, size: Optional[int] = None, stride: Optional[int] = None, codec: Any = None) -> None:
        self.codec = bottom_up_codec("EvalAffine", codec, size if codec is None else None, size_divisor=stride)
        require_same("EvalAffine", "size", size, min(self.codec.input_wh))

    def __call__(self, sample: Any, rng: np.random.Generator) -> Any:
        assert sample.image is not None, "EvalAffine needs the image: put Decode before it"
        height, width = sample.image.shape[:2]
        frame = self.codec.frame_for_image((width, height))
        sample.image = self.codec.extract(sample.image, frame)[0]
        if hasattr(sample, "frame"):
            sample.frame = frame
            people, keypoints = sample.xy_image.shape[:2]
            sample.xy_input = frame.to_input(sample.xy_image.reshape(1, people * keypoints, 2)).reshape(people, keypoints, 2)
        else:
            sample.im_shape = np.array(sample.image.shape[:2], np.float32)
            sample.scale_factor = np.array(frame.input_wh[::-1] / frame.size_wh[0][::-1], np.float32)
        return sample
