"""Makes training targets with the codec. Legend: B batch, K keypoints, h w heatmap cells."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence

import numpy as np

from ppdet.codecs.heatmap import HeatmapCodec
from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.person import PersonSample
from ppdet.data.transforms.checks import pair, require_same, warn_once
from ppdet.data.transforms.topdown.joint_weights import JointWeights
from ppdet.data.transforms.topdown.joint_weights import joint_weights as weights_of_joints


@register
class EncodeHeatmap:
    """`target` and `target_weight` of the cropped sample, as the shared codec defines them.

    PaddleDetection's three ToHeatmaps ops, below, are this one with an expectation of the codec: sizes must agree; if the kind of
    target differs, the codec's is used and a warning says so once.

    Args:
        hmsize: heatmap [width, height], default the codec's.
        sigma: in cells, default the codec's.
        codec: shared; without one, a codec of this op's own kind is made for the crop at hand.
        joint_weights: factors on `target_weight`: "limbs" (elbows, knees 1.2; wrists, ankles 1.5), {name ending: weight}, or
            K numbers; see `ppdet.data.transforms.topdown.joint_weights`. The losses square target_weight, as the official code.
        skeleton: shared; its names are those in joint_weights.

    Raises:
        ConfigError: sizes or sigma are not the codec's, there is neither a codec nor a size, or joint_weights do not fit.
    """

    __shared__ = ["codec", "skeleton"]
    kind: Dict[str, Any] = {}
    """What the op's name implies for a HeatmapCodec: target and grid."""

    def __init__(
        self,
        hmsize: Optional[Sequence[int]] = None,
        sigma: Optional[float] = None,
        codec: Any = None,
        joint_weights: JointWeights = None,
        skeleton: Any = None,
    ) -> None:
        name = type(self).__name__
        self.joint_weights = weights_of_joints(joint_weights, skeleton, name)
        self.hmsize = None if hmsize is None else pair(hmsize, f"{name}.hmsize")
        self.sigma, self.codec = sigma, codec
        if codec is None:
            if self.hmsize is None:
                raise ConfigError(f"{name} needs hmsize: [width, height], or a codec")
            return
        if len(codec.output_names) > 1:
            raise ConfigError(f"{name} makes heatmaps, and the codec is a {type(codec).__name__}; for SimCC take EncodeSimCC")
        if hasattr(codec, "heatmap_wh"):
            require_same(name, "hmsize", self.hmsize, tuple(codec.heatmap_wh))
            require_same(name, "sigma", None if sigma is None else float(sigma), float(codec.sigma))
        for key, promised in self.kind.items():
            if getattr(codec, key, promised) != promised:
                warn_once(f"{name} implies {key}: {promised}, the codec has {key}: {getattr(codec, key)}; the codec's is used")

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        assert sample.xy_input is not None and sample.image is not None, f"{type(self).__name__} must come after TopDownAffine"
        codec = self._codec_for(sample.image)
        target, weight = codec.encode(sample.xy_input[None], sample.visible[None])
        sample.target, sample.target_weight = target[0], self._weighted(weight)[0]
        return sample

    def apply_batch(self, batch: Dict[str, Any]) -> Dict[str, Any]:
        """The same for a stacked batch with `image` (B, h, w, 3), `xy_input` and `visible`; one call instead of B."""
        target, weight = self._codec_for(batch["image"][0]).encode(batch["xy_input"], batch["visible"])
        batch["target"], batch["target_weight"] = target, self._weighted(weight)
        return batch

    def _weighted(self, weight: np.ndarray) -> np.ndarray:
        return weight if self.joint_weights is None else weight * self.joint_weights

    def _codec_for(self, crop: np.ndarray) -> Any:
        if self.codec is None:
            self.codec = HeatmapCodec(
                input_wh=(crop.shape[1], crop.shape[0]),
                heatmap_wh=self.hmsize,
                sigma=2.0 if self.sigma is None else self.sigma,
                **self.kind,
            )
        return self.codec


@register
class ToHeatmapsTopDown(EncodeHeatmap):
    """Expects a codec with rounded targets on the stride grid (Xiao et al., ECCV 2018)."""

    kind = {"target": "rounded", "grid": "stride"}


@register
class ToHeatmapsTopDown_DARK(EncodeHeatmap):
    """Expects a codec with sub-pixel targets on the stride grid (Zhang et al., CVPR 2020)."""

    kind = {"target": "subpixel", "grid": "stride"}


@register
class ToHeatmapsTopDown_UDP(EncodeHeatmap):
    """Expects a codec with sub-pixel targets on the unit grid (Huang et al., CVPR 2020)."""

    kind = {"target": "subpixel", "grid": "unit", "window": True}
