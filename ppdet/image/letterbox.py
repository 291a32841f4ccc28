"""How a whole image is fitted into a network's input, and the way back.

Legend: H W pixels.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

import cv2
import numpy as np

from ppdet.core.errors import ConfigError

#: How a network of another toolkit was given its images: with the aspect kept and the rest padded on both sides (Ultralytics,
#: YOLOv5 to v7), with the padding right and below (YOLOX, MMDetection), or stretched to the input (DETRs, PicoDet).
RESIZE_RULES = ("letterbox", "letterbox_corner", "stretch")
#: Padding and interpolation of trackers of the JDE family (PaddleDetection's LetterBoxResize): 127.5, rounded.
GREY, SHRINKING = 128, cv2.INTER_AREA


@dataclass(frozen=True)
class Letterbox:
    """Where an image lies in a network input.

    The map is the one that `cv2.resize` applies to pixel *edges*: the left edge of the image goes to `offset_xy`, the right edge
    to `offset_xy + resized_wh`. Both axes have their own factor, because resized sizes are whole pixels. `to_image` is
    therefore the exact inverse, whatever was rounded.

    Attributes:
        image_wh: size of the image.
        input_wh: size of the network input.
        resized_wh: size of the image within the input.
        offset_xy: its upper left corner there.
    """

    image_wh: tuple[int, int]
    input_wh: tuple[int, int]
    resized_wh: tuple[int, int]
    offset_xy: tuple[int, int]

    @classmethod
    def fit(
        cls, image_wh: Sequence[int], input_wh: Sequence[int], rule: str = "letterbox", fit_wh: Optional[Sequence[int]] = None
    ) -> Letterbox:
        """Place an image.

        Args:
            image_wh: size of the image.
            input_wh: size of the network input.
            rule: one of `RESIZE_RULES`. Sizes are rounded as in Ultralytics if centred, and cut off as in YOLOX if not.
            fit_wh: largest size of the resized image, if it is smaller than the input (YOLO-NAS: 636 of 640).

        Raises:
            ConfigError: an unknown rule, or an image without pixels.
        """
        if rule not in RESIZE_RULES:
            raise ConfigError(f"resize rule {rule!r} is unknown: give one of {', '.join(RESIZE_RULES)}")
        width, height = int(image_wh[0]), int(image_wh[1])
        if width < 1 or height < 1:
            raise ConfigError(f"an image of {width} x {height} pixels cannot be resized")
        target = (int(input_wh[0]), int(input_wh[1]))
        if rule == "stretch":
            return cls((width, height), target, target, (0, 0))
        limit = fit_wh or target
        ratio = min(limit[0] / width, limit[1] / height)
        whole = round if rule == "letterbox" else int
        # 1e-9: a side that fills the input must not lose a pixel to the rounding of the ratio
        resized = (max(1, min(target[0], whole(width * ratio + 1e-9))), max(1, min(target[1], whole(height * ratio + 1e-9))))
        centred = rule == "letterbox"
        # Ultralytics: the smaller half of an odd padding comes first
        offset = tuple(round((all_ - used) / 2 - 0.1) if centred else 0 for all_, used in zip(target, resized))
        return cls((width, height), target, resized, (offset[0], offset[1]))

    @property
    def scale_xy(self) -> np.ndarray:
        """(2,) float64 input pixels per image pixel."""
        return np.array(self.resized_wh, np.float64) / np.array(self.image_wh, np.float64)

    def apply(self, image: np.ndarray, pad_value: int = 114, interpolation: int = cv2.INTER_LINEAR) -> np.ndarray:
        """The (input h, input w, 3) input of an (H, W, 3) uint8 image; what it does not cover has `pad_value`."""
        resized = image if self.resized_wh == self.image_wh else cv2.resize(image, self.resized_wh, interpolation=interpolation)
        if self.resized_wh == self.input_wh:
            return resized
        canvas = np.full((self.input_wh[1], self.input_wh[0], *image.shape[2:]), pad_value, image.dtype)
        x, y = self.offset_xy
        canvas[y : y + self.resized_wh[1], x : x + self.resized_wh[0]] = resized
        return canvas

    def to_input(self, xy_image: np.ndarray) -> np.ndarray:
        """(..., 2) image pixels to input pixels, float64."""
        return np.asarray(xy_image, np.float64) * self.scale_xy + np.array(self.offset_xy, np.float64)

    def to_image(self, xy_input: np.ndarray) -> np.ndarray:
        """(..., 2) input pixels to image pixels, float64."""
        return (np.asarray(xy_input, np.float64) - np.array(self.offset_xy, np.float64)) / self.scale_xy
