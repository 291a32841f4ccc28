"""From images to network inputs, as a card's `Preprocess` list says.

Legend: B batch, H W pixels.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from ppdet.core.errors import ModelDirError

RESIZE = "Resize"
NORMALIZE = "NormalizeImage"
PAD_STRIDE = ("PadStride", "PadBatch")
PERMUTE = "Permute"


class Normalizer:
    """(B, H, W, 3) uint8 RGB to (B, 3, H, W) float32, normalised in one pass.

    Args:
        operation: the card's `NormalizeImage` entry; None if the graph normalises by itself (PaddleDetection's
            `fuse_normalize`), and then values stay 0..255. Its `to_bgr` turns the channels around before mean and std.
    """

    def __init__(self, operation: Mapping[str, Any] | None) -> None:
        mean, std, scale = np.zeros(3), np.ones(3), 1.0
        self._order = slice(None, None, -1 if operation is not None and operation.get("to_bgr", False) else 1)
        if operation is not None:
            scale = 1.0 / 255.0 if operation.get("is_scale", True) else 1.0
            if operation.get("norm_type", "mean_std") != "none":
                mean, std = np.asarray(operation["mean"], np.float64), np.asarray(operation["std"], np.float64)
        # (x * scale - mean) / std, as one multiplication and one addition.
        self._gain = (scale / std).astype(np.float32).reshape(1, 3, 1, 1)
        self._offset = (-mean / std).astype(np.float32).reshape(1, 3, 1, 1)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Normalise (B, H, W, 3) uint8 to (B, 3, H, W) float32."""
        tensor = np.empty((images.shape[0], 3, *images.shape[1:3]), np.float32)
        np.multiply(images.transpose(0, 3, 1, 2)[:, self._order], self._gain, out=tensor)
        tensor += self._offset
        return tensor


@dataclass(frozen=True)
class DetectorInput:
    """What a detector is fed.

    Attributes:
        image: (B, 3, H, W) float32.
        scale_factor: (B, 2) float32, network pixels over image pixels, height first (PaddleDetection's order).
        im_shape: (B, 2) float32, height and width before padding.
    """

    image: np.ndarray
    scale_factor: np.ndarray
    im_shape: np.ndarray


class DetectorPreprocess:
    """Resizes, normalises and pads images for a detector.

    Args:
        operations: the card's `Preprocess` list.

    Raises:
        ModelDirError: the list has an operation that is not known here.
    """

    def __init__(self, operations: Sequence[Mapping[str, Any]]) -> None:
        by_type = {entry["type"]: entry for entry in operations}
        unknown = set(by_type) - {RESIZE, NORMALIZE, PERMUTE, *PAD_STRIDE}
        if unknown:
            raise ModelDirError(f"the card's Preprocess has {', '.join(sorted(unknown))}, which detectors here do not know: "
                                f"known are {RESIZE}, {NORMALIZE}, {PERMUTE}, {', '.join(PAD_STRIDE)}")
        if RESIZE not in by_type:
            raise ModelDirError(f"the card's Preprocess has no {RESIZE}: a detector needs its input size; export the model again")
        self._resize = by_type[RESIZE]
        self._normalize = Normalizer(by_type.get(NORMALIZE))
        pads = [by_type[name] for name in PAD_STRIDE if name in by_type]
        self._stride = int(next((pad.get("stride", pad.get("pad_to_stride", 0)) for pad in pads), 0))

    def __call__(self, images: Sequence[np.ndarray]) -> DetectorInput:
        """Prepare (H, W, 3) RGB uint8 images of any sizes; smaller ones are padded to the largest of the batch."""
        resized = [self._resized(image) for image in images]
        shapes = np.array([image.shape[:2] for image in resized], np.float32)
        scales = shapes / np.array([image.shape[:2] for image in images], np.float32)
        height, width = (self._padded(int(side)) for side in shapes.max(axis=0))
        tensor = np.zeros((len(images), 3, height, width), np.float32)
        for row, image in enumerate(resized):
            tensor[row, :, : image.shape[0], : image.shape[1]] = self._normalize(image[None])[0]
        return DetectorInput(tensor, scales.astype(np.float32), shapes)

    def _padded(self, side: int) -> int:
        return side if self._stride <= 0 else -(-side // self._stride) * self._stride

    def _resized(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        target = self._resize["target_size"]
        target_h, target_w = (target, target) if np.isscalar(target) else target
        if self._resize.get("keep_ratio", False):
            ratio = min(min(target_h, target_w) / min(height, width), max(target_h, target_w) / max(height, width))
            target_h, target_w = max(1, round(height * ratio)), max(1, round(width * ratio))
        return cv2.resize(image, (int(target_w), int(target_h)), interpolation=int(self._resize.get("interp", cv2.INTER_LINEAR)))
