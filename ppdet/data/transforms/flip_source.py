"""Where a flip learns which keypoints trade places.

From the config's pairs, checked against the skeleton, or from the skeleton alone.
"""

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
        flip_pairs: from the config, or None.
        skeleton: shared, or None.

    Raises:
        ConfigError: the pairs are not the skeleton's.
    """

    def __init__(self, owner: str, flip_pairs: Optional[Sequence[Sequence[int]]], skeleton: Any) -> None:
        self.skeleton = None if skeleton is None else get_skeleton(skeleton)
        if flip_pairs is None:
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
