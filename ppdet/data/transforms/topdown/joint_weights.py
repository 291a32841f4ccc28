"""Weights that let hard keypoints count more in the loss. Legend: K keypoints."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence, Union

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.skeletons import get_skeleton

JointWeights = Union[None, str, Mapping[str, float], Sequence[float]]

LIMBS = {"elbow": 1.2, "knee": 1.2, "wrist": 1.5, "ankle": 1.5}
"""USE_DIFFERENT_JOINTS_WEIGHT of Simple Baselines and HRNet (off in their published runs)."""


def joint_weights(given: JointWeights, skeleton: Any, owner: str) -> Optional[np.ndarray]:
    """(K,) float32 weights of the keypoints, or None if all are equal.

    Args:
        given: "limbs" for elbows and knees 1.2, wrists and ankles 1.5; a mapping from the end of a keypoint's name to its
            weight, others 1; or K numbers.
        skeleton: whose names the mapping means.
        owner: of the option, for messages.

    Raises:
        ConfigError: an unknown word, a name that fits no keypoint, a count that is not K, or a weight below 0.
    """
    if given is None:
        return None
    if skeleton is None:
        raise ConfigError(f"{owner}: joint_weights need a skeleton; name one in the config, for example skeleton: coco17")
    skeleton = get_skeleton(skeleton)
    if isinstance(given, str):
        if given != "limbs":
            raise ConfigError(f"{owner}: joint_weights is 'limbs', a mapping of names to numbers, or a list; given {given!r}")
        given = LIMBS
    weights = _by_name(given, skeleton, owner) if isinstance(given, Mapping) else np.array(given, np.float32)
    if weights.shape != (skeleton.num_keypoints,) or not np.isfinite(weights).all() or (weights < 0).any():
        raise ConfigError(
            f"{owner}: joint_weights must be {skeleton.num_keypoints} numbers from 0 on, one for each keypoint of "
            f"{skeleton.name}; given {list(given)}"
        )
    return weights


def _by_name(given: Mapping[str, float], skeleton: Any, owner: str) -> np.ndarray:
    weights = np.ones(skeleton.num_keypoints, np.float32)
    for ending, weight in given.items():
        rows = [row for row, name in enumerate(skeleton.names) if name.endswith(str(ending))]
        if not rows:
            raise ConfigError(
                f"{owner}: joint_weights name {ending!r}, but no keypoint of skeleton {skeleton.name} ends so; it has "
                f"{', '.join(skeleton.names)}"
            )
        weights[rows] = float(weight)
    return weights
