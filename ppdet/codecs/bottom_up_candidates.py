"""Candidates: the peaks of a bottom-up network's maps, from which people are grouped.

Legend: K keypoints, M candidates per keypoint, T tag dimensions, Hc Wc refine cells, B batch. Coordinates are network input
pixels, (x, y), the top-left pixel's centre at (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Optional, Sequence

import numpy as np

from ppdet.core.errors import DataError

#: the fields below that exist only if missing keypoints are searched for (``refine``)
REFINE_FIELDS = ("cell_score", "cell_xy", "cell_tag")


@dataclass(frozen=True)
class Candidates:
    """Candidates of one image, all float32; an exported graph returns these arrays in this order, with a batch axis in front.

    Attributes:
        score: (K, M) heat at the M highest local maxima of each keypoint's map, highest first.
        xy: (K, M, 2) their pixels, whole numbers.
        offset: (K, M, 2) .25 towards the higher of the two neighbours along each axis, -.25 if they are equal; outside the map
            the border pixel is repeated (Cheng et al., CVPR 2020, the authors' "adjust").
        tag: (K, M, T) tags at those pixels.
        cell_score: (K, Hc, Wc) maximum of each ``refine_cell`` x ``refine_cell`` block; the first in reading order of equals.
        cell_xy: (K, Hc, Wc, 2) that pixel *plus* its offset as above.
        cell_tag: (K, Hc, Wc, T) the tags there.

    The last three are None without that search (``refine: false``); an exported graph returns all seven.
    """

    score: np.ndarray
    xy: np.ndarray
    offset: np.ndarray
    tag: np.ndarray
    cell_score: Optional[np.ndarray] = None
    cell_xy: Optional[np.ndarray] = None
    cell_tag: Optional[np.ndarray] = None

    def __post_init__(self) -> None:
        given = [field.name for field in fields(self) if getattr(self, field.name) is not None]
        for name in given:
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.float32))
        if self.tag.ndim != 3 or self.score.ndim != 2:
            raise DataError(f"candidates: score is (K, M) and tag (K, M, T); given {self.score.shape} and {self.tag.shape}")
        expected = {"xy": (*self.score.shape, 2), "offset": (*self.score.shape, 2), "tag": (*self.score.shape, self.tag.shape[2])}
        if any(name in given for name in REFINE_FIELDS):
            if self.cell_score is None or self.cell_xy is None or self.cell_tag is None:
                raise DataError("candidates: cell_score, cell_xy and cell_tag belong together; give all three or none")
            cells = (len(self.score), *self.cell_score.shape[1:])
            expected.update(cell_score=cells, cell_xy=(*cells, 2), cell_tag=(*cells, self.tag.shape[2]))
        wrong = [f"{name} {getattr(self, name).shape}, not {shape}" for name, shape in expected.items()
                 if getattr(self, name).shape != shape]
        if wrong:
            raise DataError(f"candidates do not fit each other: {'; '.join(wrong)} (score is {self.score.shape})")

    @property
    def num_keypoints(self) -> int:
        """K."""
        return int(self.score.shape[0])

    def require_finite(self) -> None:
        """Refuse NaN and infinite heat or tags: comparisons with NaN would silently give wrong people or none.

        Raises:
            DataError: a score or tag is NaN or infinite.
        """
        bad = [f"{name} ({np.count_nonzero(~np.isfinite(array))} of {array.size} values)"
               for name in ("score", "tag", "cell_score", "cell_tag")
               if (array := getattr(self, name)) is not None and not np.isfinite(array).all()]
        if bad:
            raise DataError(f"candidates hold NaN or infinite values in {', '.join(bad)}: most likely the model's weights are "
                            "broken (training diverged, or a damaged file), or half precision overflowed; nothing was decoded")

    @classmethod
    def from_outputs(cls, outputs: Sequence[np.ndarray]) -> list[Candidates]:
        """The candidates of each image from a graph's outputs: arrays with a batch axis in front, in this class's order.

        Raises:
            DataError: another number of arrays, or their shapes do not fit each other.
        """
        names = [field.name for field in fields(cls)]
        arrays = [np.asarray(array) for array in outputs]
        if len(arrays) not in (len(names), len(names) - len(REFINE_FIELDS)):
            raise DataError(f"a bottom-up model gives {', '.join(names)}; this one gave {len(arrays)} arrays of shapes "
                            f"{[array.shape for array in arrays]}")
        return [cls(*(array[b] for array in arrays)) for b in range(len(arrays[0]))]
