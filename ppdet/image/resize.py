"""Whole images to a network's input size: the one implementation that training data and inference share."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Union

import cv2
import numpy as np

from ppdet.core.errors import ConfigError


def target_height_width(target_size: Union[int, Sequence[int]]) -> tuple[int, int]:
    """PaddleDetection's `target_size`, one number or [height, width], as height and width.

    Raises:
        ConfigError: it is no size.
    """
    size = [target_size, target_size] if isinstance(target_size, int) else list(target_size)
    if len(size) != 2 or min(size) <= 0:
        raise ConfigError(f"Resize.target_size must be a number or [height, width]; given {target_size!r}")
    return int(size[0]), int(size[1])


def resized_wh(image_wh: tuple[int, int], target_hw: tuple[int, int], keep_ratio: bool) -> tuple[int, int]:
    """Width and height after resizing.

    Args:
        image_wh: size of the image.
        target_hw: size wanted, height first as in PaddleDetection's YAML.
        keep_ratio: the largest size with the image's aspect whose short side is at most the target's short side and whose long
            side at most the target's long side (PaddleDetection's rule), rounded to pixels; else the target itself.
    """
    if not keep_ratio:
        return target_hw[1], target_hw[0]
    ratio = min(min(target_hw) / min(image_wh), max(target_hw) / max(image_wh))
    return max(1, round(image_wh[0] * ratio)), max(1, round(image_wh[1] * ratio))


def resize_to(
    image: np.ndarray, target_hw: tuple[int, int], keep_ratio: bool, interp: int = cv2.INTER_LINEAR
) -> tuple[np.ndarray, tuple[float, float]]:
    """Resize an (H, W, 3) image.

    Args:
        image: the pixels.
        target_hw, keep_ratio: see `resized_wh`.
        interp: OpenCV's number (0 nearest, 1 linear, 2 cubic, 3 area, 4 Lanczos).

    Returns:
        the resized image, and new size over old size, height first (PaddleDetection's `scale_factor`). The sizes are those
        in whole pixels, which is what OpenCV maps by.
    """
    height, width = image.shape[:2]
    new_wh = resized_wh((width, height), target_hw, keep_ratio)
    return cv2.resize(image, new_wh, interpolation=interp), (new_wh[1] / height, new_wh[0] / width)
