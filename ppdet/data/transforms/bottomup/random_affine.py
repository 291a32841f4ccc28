"""The geometric augmentation of bottom-up training. Legend: P people, K keypoints, H W source pixels."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Tuple, Union

import cv2
import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.bottom_up import BottomUpSample
from ppdet.data.transforms.bottomup.codec_check import bottom_up_codec
from ppdet.geometry.crop import Crop, fit_aspect

PADDLEDETECTION_BORDER = (114, 114, 114)


@register
class RandomAffine:
    """Shows a turned, scaled and shifted part of the image at the network's input size: image, people and mask by one matrix.

    The part has the image's short (or long) side times a number in `scale`, turned by up to `max_degree`, its centre shifted by
    up to `max_shift` of it (Cheng et al., CVPR 2020; RandomAffineTransform of the authors' code). What lies outside the image is
    not learnt: the mask is 0 there. Keypoints that leave the input count as not labelled, people who leave it are gone.

    Args:
        max_degree: degrees, to either side.
        scale: [smallest, largest] factor on the part of the image that is shown.
        max_shift: in sides of that part.
        hmsize: sizes of the heatmaps, coarse first; default the codec's.
        trainsize: network input, a number or [width, height]; default the codec's.
        scale_type: "short" or "long" side of the image.
        boldervalue: colour outside the image (PaddleDetection's spelling); default black, with the codec's `paddledet_exact` 114.
        codec: shared with targets, model and evaluation.

    Raises:
        ConfigError: sizes are not the codec's, or a range is none.
    """

    __shared__ = ["codec"]

    def __init__(
        self,
        max_degree: float = 30,
        scale: Sequence[float] = (0.75, 1.5),
        max_shift: float = 0.2,
        hmsize: Any = None,
        trainsize: Any = None,
        scale_type: str = "short",
        boldervalue: Optional[Union[int, Sequence[int]]] = None,
        codec: Any = None,
    ) -> None:
        self.codec = bottom_up_codec("RandomAffine", codec, trainsize, hmsize)
        if scale_type not in ("short", "long"):
            raise ConfigError(f"RandomAffine: scale_type is short or long; given {scale_type!r}")
        if len(scale) != 2 or not 0 < scale[0] <= scale[1]:
            raise ConfigError(f"RandomAffine: scale is [smallest, largest], both above 0; given {list(scale)}")
        if max_degree < 0 or max_shift < 0:
            raise ConfigError(f"RandomAffine: max_degree and max_shift are 0 or more; given {max_degree} and {max_shift}")
        self.max_degree, self.scale, self.max_shift = float(max_degree), (float(scale[0]), float(scale[1])), float(max_shift)
        self.scale_type = scale_type
        self.border = _color(boldervalue, self.codec.paddledet_exact)

    def __call__(self, sample: BottomUpSample, rng: np.random.Generator) -> BottomUpSample:
        assert sample.image is not None, "RandomAffine needs the image: put Decode before it"
        height, width = sample.image.shape[:2]
        return self.apply(sample, self.draw((width, height), rng))

    def draw(self, image_wh: Tuple[int, int], rng: np.random.Generator) -> Crop:
        """Sample the part of an image that is shown."""
        base = min(image_wh) if self.scale_type == "short" else max(image_wh)
        side = base * rng.uniform(*self.scale)
        turn = rng.uniform(-self.max_degree, self.max_degree)
        center = np.array(image_wh, np.float64) / 2 + rng.uniform(-self.max_shift, self.max_shift, 2) * side
        input_wh = self.codec.input_wh
        return Crop(center[None], fit_aspect(np.array([[side, side]]), input_wh), np.array([turn]), input_wh)

    def apply(self, sample: BottomUpSample, frame: Crop) -> BottomUpSample:
        """Show that part. In place."""
        assert sample.image is not None
        height, width = sample.image.shape[:2]
        matrix, input_wh = frame.matrix[0], frame.input_wh
        sample.image = cv2.warpAffine(sample.image, matrix, input_wh, flags=cv2.INTER_LINEAR, borderValue=self.border)
        sample.frame = frame
        sample.masks = learnt_masks(sample.ignore, (width, height), matrix, self.codec.heatmap_whs, input_wh)
        people, keypoints = sample.xy_image.shape[:2]
        sample.xy_input = frame.to_input(sample.xy_image.reshape(1, people * keypoints, 2)).reshape(people, keypoints, 2)
        hide_outside(sample, input_wh)
        return sample


def learnt_masks(
    ignore: Optional[np.ndarray], image_wh: Tuple[int, int], matrix: np.ndarray, map_whs: Sequence[Tuple[int, int]],
    input_wh: Tuple[int, int],
) -> list[np.ndarray]:  # fmt: skip
    """(h, w) float32 for each map, 1 where the middle of the cell shows the image and nothing that is to be ignored.

    Args:
        ignore: (H, W) bool, or None for nothing.
        image_wh: size of the source image.
        matrix: (2, 3) source pixels to input pixels.
        map_whs: size of each map.
        input_wh: of the network; a cell covers input / map pixels.
    """
    learnt = np.full((image_wh[1], image_wh[0]), 255, np.uint8)
    if ignore is not None:
        learnt[ignore] = 0
    masks = []
    for map_wh in map_whs:
        stride = np.array(input_wh, np.float64) / map_wh
        to_cells = matrix / stride[:, None]
        to_cells[:, 2] -= (stride - 1) / 2 / stride  # the first cell's middle is pixel (stride - 1) / 2
        warped = cv2.warpAffine(learnt, to_cells, map_wh, flags=cv2.INTER_LINEAR)
        masks.append((warped > 127).astype(np.float32))
    return masks


def hide_outside(sample: BottomUpSample, input_wh: Tuple[int, int]) -> BottomUpSample:
    """Keypoints whose pixel lies outside count as not labelled, and people without a labelled one are dropped. In place.

    Those kept lie on 0 .. side - 1 exactly: up to half a pixel beyond is the border pixel's own.
    """
    assert sample.xy_input is not None
    last = np.array(input_wh, np.float64) - 1
    inside = (sample.xy_input >= -0.5).all(axis=2) & (sample.xy_input <= last + 0.5).all(axis=2)
    sample.visible = sample.visible * inside
    sample.xy_input = np.where(sample.visible[..., None] > 0, np.clip(sample.xy_input, 0, last), sample.xy_input)
    present = np.flatnonzero((sample.visible > 0).any(axis=1))
    if len(present) < len(sample.visible):
        sample.keep_people(present)
    return sample


def _color(value: Optional[Union[int, Sequence[int]]], paddledet_exact: bool) -> Tuple[int, ...]:
    if value is None:
        return PADDLEDETECTION_BORDER if paddledet_exact else (0, 0, 0)
    color = (value,) * 3 if isinstance(value, int) else tuple(int(v) for v in value)
    if len(color) != 3:
        raise ConfigError(f"RandomAffine: boldervalue is a grey level or three colours; given {value!r}")
    return color
