"""Predicts the people of whole images from weights, with the flip and multi-scale tests of the HigherHRNet authors.

Legend: B batch, K keypoints, H W pixels of the network input at scale 1, h w map cells.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

import numpy as np
import paddle
import paddle.nn.functional as F

from ppdet.codecs.bottom_up_candidates import Candidates
from ppdet.core.errors import ConfigError
from ppdet.engine.precision import Precision
from ppdet.engine.tasks.deployed_form import DeployedForm
from ppdet.geometry.crop import Crop
from ppdet.inference.estimators.bottom_up import BottomUpEstimator
from ppdet.modeling.architectures.higher_hrnet import averaged_maps

SCALES_KEY = "test_scales"
FLIP_KEY = "eval_flip"
# Limits of `test_scales`. Memory grows with the square of the largest scale, and also as the smallest one shrinks: the smallest
# input has at least 64 pixels, and the others are multiples of it.
SMALLEST_SCALE, LARGEST_SCALE = 0.125, 4.0


class BottomUpPredictor(BottomUpEstimator):
    """Averages the maps of an image, its mirror image and several scales of both before the candidate search.

    As in the authors' code, heatmaps of all scales are resized to the network input at scale 1 and averaged. Tags are those of
    scale 1 (or of the only scale); with the flip test each person has two, from the image and from its mirror image. All scales
    cover the same region, so that their maps coincide.

    Args:
        form: deployed form of the model.
        model: network that returns heatmap_1x, tag and heatmap_2x.
        flip_test: also run the mirror image, in the same batch.
        scales: factors on the network input; see `scales_of`.
        precision: mixed precision of the forward pass; None is float32.
    """

    def __init__(
        self, form: DeployedForm, model: Any, flip_test: bool = True, scales: Sequence[float] = (1.0,),
        precision: Precision | None = None,
    ) -> None:  # fmt: skip
        super().__init__(form.runtime(), form.card)
        self._model, self._layer = model, form.layer
        self.flip_test, self.scales = bool(flip_test), tuple(scales)
        self._precision = precision or Precision()

    def candidates(self, image: np.ndarray) -> tuple[Candidates, Crop]:
        """Candidates from the averaged maps; see `BottomUpEstimator.candidates`."""
        frames = self.frames((image.shape[1], image.shape[0]))
        base = frames[1.0 if 1.0 in frames else self.scales[0]]
        heat, tags = paddle.zeros([]), []
        for scale in self.scales:
            frame = frames[scale]
            maps, tag_maps = self._maps(self._normalize(self.codec.extract(image, frame)), base.input_wh)
            heat = heat + maps / len(self.scales)
            if frame is base:
                tags = tag_maps
        with paddle.no_grad():
            outputs = self._layer.candidates(heat, paddle.stack(tags, axis=-1))
        return self._of_outputs([output.numpy() for output in outputs]), base

    def frames(self, image_wh: tuple[int, int]) -> dict[float, Crop]:
        """The frame of each scale. All cover the region of the smallest, as in the authors' code."""
        smallest = min(self.scales)
        return {scale: self.codec.frame_for_image(image_wh, scale, smallest) for scale in self.scales}

    def _maps(self, image: np.ndarray, size_wh: tuple[int, int]) -> tuple[paddle.Tensor, list[paddle.Tensor]]:
        """Averaged heatmaps (1, K, H, W), and tags (1, K, H, W) of the image and, with flip test, of its mirror image."""
        heat, tags = self.codec.flip_tested(self._network, image, self.skeleton) if self.flip_test else self._network(image)
        with paddle.no_grad():
            each = [_resized(np.ascontiguousarray(tags[..., number]), size_wh) for number in range(tags.shape[-1])]
            return _resized(heat, size_wh), each

    def _network(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Heatmaps (B, K, h, w) and tags (B, K, h, w, 1) of normalised images."""
        with paddle.no_grad(), self._precision.autocast():
            outputs = {name: maps.astype("float32") for name, maps in self._model(paddle.to_tensor(images)).items()}
            heat, tags = averaged_maps(outputs)
        return heat.numpy(), tags.numpy()[..., None]


def _resized(maps: np.ndarray, size_wh: tuple[int, int]) -> paddle.Tensor:
    size, tensor = [size_wh[1], size_wh[0]], paddle.to_tensor(maps)
    return tensor if list(tensor.shape[2:]) == size else F.interpolate(tensor, size=size, mode="bilinear", align_corners=False)


def wants_bottom_up_flip(config: Mapping[str, Any]) -> bool:
    """Whether to use the flip test: `eval_flip` of the architecture's section, by default on."""
    section = config.get(str(config.get("architecture"))) or {}
    return bool(section.get(FLIP_KEY, True))


def scales_of(config: Mapping[str, Any]) -> tuple[float, ...]:
    """The scales of the top-level key `test_scales`, largest first; only scale 1 without the key.

    Raises:
        ConfigError: scales that are not positive numbers, are beyond the limits, do not include 1, or are not multiples of half
            the smallest, whose network inputs would not be multiples of 32.
    """
    value = config.get(SCALES_KEY)
    if value is None:
        return (1.0,)
    listed = list(value) if isinstance(value, (list, tuple)) else [value]
    numbers = all(isinstance(each, (int, float)) and not isinstance(each, bool) and 0 < each < np.inf for each in listed)
    if not listed or not numbers:
        raise ConfigError(f"{SCALES_KEY} is {value!r}: give positive numbers, for example [0.5, 1, 2]")
    scales = tuple(sorted({float(each) for each in listed}, reverse=True))
    if scales[0] > LARGEST_SCALE or scales[-1] < SMALLEST_SCALE:
        raise ConfigError(f"{SCALES_KEY} is {value!r}: scales are of the network input, 1 being the config's own size, and go "
                          f"from {SMALLEST_SCALE:g} to {LARGEST_SCALE:g}; for example [0.5, 1, 2]")
    if len(scales) > 1 and 1.0 not in scales:
        raise ConfigError(f"{SCALES_KEY} is {value!r}: of several scales one must be 1, since people's tags are taken from it")
    steps = 2 * np.array(scales) / scales[-1]
    if np.abs(steps - np.rint(steps)).max() > 1e-6:
        raise ConfigError(f"{SCALES_KEY} is {value!r}: every scale must be a multiple of half the smallest, or the network's "
                          "inputs have odd sizes; for example [0.5, 1, 2] or [0.5, 0.75, 1, 1.25, 1.5]")
    return scales


def bottom_up_setting(estimator: BottomUpEstimator, config: Mapping[str, Any], images: int, computed: str) -> str:
    """The settings in one line: images, input, flip test, scales, thresholds, refinement, engine and precision."""
    codec = estimator.codec
    flip, scales = getattr(estimator, "flip_test", False), getattr(estimator, "scales", (1.0,))
    flip_text = "flip test on" if flip else "flip test off"
    if not flip and wants_bottom_up_flip(config):
        flip_text += " (an exported graph gives candidates, not the maps to average)"
    width, height = codec.input_wh
    parts = [
        f"bottom-up, {images} images whole",
        f"short side {min(width, height)}",
        flip_text,
        "scale 1" if scales == (1.0,) else f"scales {', '.join(f'{each:g}' for each in scales)}",
        f"candidates from {codec.detection_threshold:g}, at most {codec.max_people} per keypoint, "
        f"tags within {codec.tag_threshold:g}",
        f"adjust {'on' if codec.adjust else 'off'}, refine {_refine_text(codec)}",
        f"matching {'exactly as PaddleDetection' if codec.paddledet_exact else codec.matching}",
    ]
    return "; ".join([*parts, computed])


def _refine_text(codec: Any) -> str:
    if not codec.refine:
        return "off"
    return "on" if codec.refine_cell == 1 else f"on (best pixel of {codec.refine_cell}x{codec.refine_cell})"
