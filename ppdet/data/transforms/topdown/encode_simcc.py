"""Makes training targets of both axes with the codec. Legend: B batch, K keypoints."""

from __future__ import annotations

from typing import Any, Dict

import numpy as np

from ppdet.codecs import SimCCCodec
from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.person import PersonSample
from ppdet.data.transforms.topdown.joint_weights import JointWeights
from ppdet.data.transforms.topdown.joint_weights import joint_weights as weights_of_joints


@register
class EncodeSimCC:
    """`target` (K, bins of x + bins of y) and `target_weight` (K,) of the cropped sample, as the shared codec defines them.

    Args:
        codec: shared, a `SimCCCodec`.
        joint_weights: factors on `target_weight`, see `ppdet.data.transforms.topdown.joint_weights`.
        skeleton: shared; its names are those in joint_weights.

    Raises:
        ConfigError: another codec, or joint_weights that do not fit.
    """

    __shared__ = ["codec", "skeleton"]

    def __init__(self, codec: Any = None, joint_weights: JointWeights = None, skeleton: Any = None) -> None:
        if not isinstance(codec, SimCCCodec):
            given = "there is no codec section" if codec is None else f"the config's is a {type(codec).__name__}"
            raise ConfigError(f"EncodeSimCC needs `codec: {{name: SimCCCodec, ...}}`; {given}")
        self.codec = codec
        self.joint_weights = weights_of_joints(joint_weights, skeleton, "EncodeSimCC")

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        assert sample.xy_input is not None, "EncodeSimCC must come after TopDownAffine"
        target, weight = self._encode(sample.xy_input[None], sample.visible[None])
        sample.target, sample.target_weight = target[0], weight[0]
        return sample

    def apply_batch(self, batch: Dict[str, Any]) -> Dict[str, Any]:
        """The same for a stacked batch with `xy_input` and `visible`; one call instead of B."""
        batch["target"], batch["target_weight"] = self._encode(batch["xy_input"], batch["visible"])
        return batch

    def _encode(self, xy_input: np.ndarray, visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        targets, weight = self.codec.encode(xy_input, visible)
        return np.concatenate(targets, axis=-1), weight if self.joint_weights is None else weight * self.joint_weights
