"""Cuts a part out of an image that shows enough of some object (Liu et al., ECCV 2016, sec. 2.2). Legend: N boxes."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Tuple

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.image import ImageSample
from ppdet.data.transforms.detection.box_operations import boxes_of, centre_inside, crop, image_size
from ppdet.geometry.boxes import iou_matrix

NO_CROP = -1.0
Rectangle = Tuple[int, int, int, int]


@register
class RandomCrop:
    """Tries random rectangles until one overlaps a box by a threshold, which is chosen at random first.

    Boxes whose centre is in the rectangle are kept, the first such rectangle is taken. Images without boxes stay whole.

    Args:
        aspect_ratio: [lowest, highest] width / height of the rectangle, as a factor on the image's; None lets both sides be
            chosen freely.
        thresholds: smallest IoU of the rectangle with some box; one is drawn, and others in turn if no rectangle is found.
        scaling: [lowest, highest] geometric mean of the rectangle's sides as parts of the image's.
        num_attempts: rectangles per threshold.
        allow_no_crop: one more choice beside the thresholds is the whole image.
        cover_all_box: every box, not some box, must overlap by the threshold.
        prob: probability that an image is looked at.
        is_mask_crop, ioumode: PaddleDetection's keys; only false and "iou" are supported.

    Raises:
        ConfigError: empty or impossible ranges, or an unsupported mode.
    """

    def __init__(
        self,
        aspect_ratio: Optional[Sequence[float]] = (0.5, 2.0),
        thresholds: Sequence[float] = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9),
        scaling: Sequence[float] = (0.3, 1.0),
        num_attempts: int = 50,
        allow_no_crop: bool = True,
        cover_all_box: bool = False,
        is_mask_crop: bool = False,
        ioumode: str = "iou",
        prob: float = 1.0,
    ) -> None:
        if is_mask_crop or ioumode != "iou":
            raise ConfigError(f"RandomCrop: only is_mask_crop: false and ioumode: iou; given {is_mask_crop} and {ioumode!r}")
        if len(scaling) != 2 or not 0 < scaling[0] <= scaling[1] <= 1:
            raise ConfigError(f"RandomCrop: scaling is [lowest, highest] above 0 and up to 1; given {list(scaling)}")
        if aspect_ratio is not None and (len(aspect_ratio) != 2 or not 0 < aspect_ratio[0] <= aspect_ratio[1]):
            raise ConfigError(f"RandomCrop: aspect_ratio is [lowest, highest] above 0, or null; given {list(aspect_ratio)}")
        self.aspect_ratio, self.scaling = aspect_ratio, scaling
        self.choices = [float(t) for t in thresholds] + [NO_CROP] * allow_no_crop
        self.num_attempts, self.cover_all_box, self.prob = num_attempts, cover_all_box, prob

    def __call__(self, sample: ImageSample, rng: np.random.Generator) -> ImageSample:
        if not len(boxes_of(sample)) or (self.prob < 1 and rng.random() >= self.prob):
            return sample
        rectangle = self.draw(image_size(sample), boxes_of(sample), rng)
        return sample if rectangle is None else crop(sample, *rectangle)

    def draw(self, image_wh: Tuple[int, int], boxes: np.ndarray, rng: Any) -> Optional[Rectangle]:
        """The part to keep, x1, y1, x2, y2; None for the whole image."""
        choices = list(self.choices)
        rng.shuffle(choices)
        for threshold in choices:
            if threshold == NO_CROP:
                return None
            for _ in range(self.num_attempts):
                rectangle = self._rectangle(image_wh, rng)
                if rectangle is not None and self._shows_enough(rectangle, boxes, threshold):
                    return rectangle
        return None

    def _rectangle(self, image_wh: Tuple[int, int], rng: Any) -> Optional[Rectangle]:
        width, height = image_wh
        scale = rng.uniform(*self.scaling)
        if self.aspect_ratio is None:
            crop_h, crop_w = int(height * scale), int(width * rng.uniform(*self.scaling))
            if not 0.5 <= crop_h / max(crop_w, 1) <= 2.0:
                return None
        else:
            low, high = self.aspect_ratio
            aspect = rng.uniform(max(low, scale**2), min(high, scale**-2))
            crop_h, crop_w = int(height * scale / np.sqrt(aspect)), int(width * scale * np.sqrt(aspect))
        if not (0 < crop_h < height and 0 < crop_w < width):
            return None
        y = int(rng.integers(0, height - crop_h))
        x = int(rng.integers(0, width - crop_w))
        return x, y, x + crop_w, y + crop_h

    def _shows_enough(self, rectangle: Rectangle, boxes: np.ndarray, threshold: float) -> bool:
        overlap = iou_matrix(boxes, np.array([rectangle], np.float64))[:, 0]
        if (overlap.min() if self.cover_all_box else overlap.max()) < threshold:
            return False
        return bool(centre_inside(boxes, rectangle).any())
