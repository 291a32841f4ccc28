"""Makes annotated boxes as ragged as a detector's (Fang et al., RMPE, ICCV 2017: "pose-guided proposals")."""

from __future__ import annotations

import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.samples.person import PersonSample
from ppdet.geometry.crop import BOX_PADDING, fit_aspect

# mean and standard deviation of the shift of each side, in parts of the box's width (left, right) or height (top, bottom)
LEFT, TOP, RIGHT, BOTTOM = (-0.0142, 0.1158), (0.0043, 0.068), (0.0154, 0.1337), (-0.0013, 0.0711)
SMALLEST_SIDE = 1.0


@register
class TopDownRandomBoxCrop:
    """SimplePose's crop of boxes: a random part of the box, or each side moved as a detector would.

    With probability `part_prob` a box of the same aspect within the box, its sides a ratio between 1 - part_prob and 1 of
    it (the original draws one number for both); otherwise each side shifts by a normal number. Cut to the image, then
    padded as any box. Put it first: it starts from the annotated box, and later transforms scale and turn what it leaves.

    Args:
        part_prob: probability of a part instead of ragged sides, .15 in the original.
    """

    def __init__(self, part_prob: float = 0.15) -> None:
        self.part_prob = float(part_prob)

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        box = self.draw(_box_of(sample), rng)
        if sample.image is not None:
            height, width = sample.image.shape[:2]
            box = np.clip(box, 0, [width - 1, height - 1, width - 1, height - 1])
        if (box[2:] - box[:2] < SMALLEST_SIDE).any():
            return sample  # the box lay outside its image
        aspect = (float(sample.size_wh[0]), float(sample.size_wh[1]))
        sample.center_xy = (box[:2] + box[2:]) / 2
        sample.size_wh = fit_aspect((box[2:] - box[:2])[None], aspect)[0] * BOX_PADDING  # type: ignore[arg-type]
        return sample

    def draw(self, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Sample a new (4,) xyxy box from one."""
        width, height = box[2:] - box[:2]
        if rng.random() < self.part_prob:
            ratio = rng.uniform(1 - self.part_prob, 1.0)
            corner = box[:2] + rng.random(2) * (1 - ratio) * np.array([width, height])
            return np.concatenate([corner, corner + ratio * np.array([width, height])])
        shifts = [rng.normal(mean, std) for mean, std in (LEFT, TOP, RIGHT, BOTTOM)]
        return box + np.array(shifts) * np.array([width, height, width, height])


def _box_of(sample: PersonSample) -> np.ndarray:
    if sample.box_xyxy is not None:
        return np.asarray(sample.box_xyxy, np.float64)
    size = sample.size_wh / BOX_PADDING
    return np.concatenate([sample.center_xy - size / 2, sample.center_xy + size / 2])
