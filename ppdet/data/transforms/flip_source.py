"""The keypoints that swap sides in a mirror: a config's pairs, checked against the skeleton, or the skeleton's own."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Optional, Sequence

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.data.transforms.operations import flip_permutation
from ppdet.skeletons import get_skeleton


class FlipSource:
    """Gives the mirror permutation for K keypoints.

    Args:
        owner: name of the transform, for messages.
        flip_pairs: from the config, or None. An empty list says that no keypoints swap.
        skeleton: shared, or None.
        needed: whether the transform mirrors at all.

    Raises:
        ConfigError: the pairs are not the skeleton's, or the transform mirrors and there are neither pairs nor a skeleton.
    """

    def __init__(
        self, owner: str, flip_pairs: Optional[Sequence[Sequence[int]]], skeleton: Any, needed: bool = True
    ) -> None:
        self.skeleton = None if skeleton is None else get_skeleton(skeleton)
        if flip_pairs is None:
            if self.skeleton is None and needed:
                raise ConfigError(
                    f"{owner} mirrors, and nothing says which keypoints swap left and right: name a skeleton in the config, give "
                    "their pairs ([] if there are none), or do not mirror (flip: false, or flip_prob: 0)"
                )
            flip_pairs = self.skeleton.flip_pairs if self.skeleton is not None else ()
        elif self.skeleton is not None:
            given = sorted(sorted(int(i) for i in pair) for pair in flip_pairs)
            expected = sorted(sorted(pair) for pair in self.skeleton.flip_pairs)
            if given != expected:
                raise ConfigError(
                    f"{owner}: flip pairs {given} are not those of skeleton {self.skeleton.name}, {expected}; "
                    "leave them out, or name the right skeleton"
                )
        self.pairs = tuple(tuple(int(i) for i in pair) for pair in flip_pairs)

    def permutation(self, num_keypoints: int) -> np.ndarray:
        """(K,) int. Raises ConfigError if the pairs do not fit K keypoints."""
        return _permutation(self.pairs, num_keypoints)


@lru_cache(maxsize=32)
def _permutation(pairs: Any, num_keypoints: int) -> np.ndarray:
    return flip_permutation(pairs, num_keypoints)
