"""From images to network inputs, following the `Preprocess` list of a card.

Legend: B batch, H W pixels.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from ppdet.core.errors import ModelDirError
from ppdet.image.letterbox import GREY, SHRINKING, Letterbox
from ppdet.image.normalize import Normalization
from ppdet.image.resize import resize_to, target_height_width

RESIZE, LETTERBOX = "Resize", "LetterBoxResize"
NORMALIZE = "NormalizeImage"
PAD_STRIDE = ("PadStride", "PadBatch")
PERMUTE = "Permute"


class Normalizer:
    """(B, H, W, 3) uint8 RGB to (B, 3, H, W) float32, normalised as a card says.

    Args:
        operation: the card's `NormalizeImage` entry; None if the graph normalises by itself (PaddleDetection's
            `fuse_normalize`), and then values stay 0..255. Its `to_bgr` turns the channels around before mean and std.
    """

    def __init__(self, operation: Mapping[str, Any] | None) -> None:
        self._normalization = Normalization.from_operation(operation)

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Normalise (B, H, W, 3) uint8 to (B, 3, H, W) float32."""
        return self._normalization.planes(images)


@dataclass(frozen=True)
class DetectorInput:
    """The inputs of a detector.

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
        unknown = set(by_type) - {RESIZE, LETTERBOX, NORMALIZE, PERMUTE, *PAD_STRIDE}
        if unknown:
            raise ModelDirError(f"the card's Preprocess has {', '.join(sorted(unknown))}, which detectors here do not know: "
                                f"known are {RESIZE}, {LETTERBOX}, {NORMALIZE}, {PERMUTE}, {', '.join(PAD_STRIDE)}")
        if (RESIZE in by_type) == (LETTERBOX in by_type):
            raise ModelDirError(f"the card's Preprocess has neither {RESIZE} nor {LETTERBOX}, or both: a detector needs one "
                                "input size; export the model again")
        self._letterbox = LETTERBOX in by_type
        resize = by_type[LETTERBOX if self._letterbox else RESIZE]
        self._target_hw = target_height_width(resize["target_size"])
        self._keep_ratio = bool(resize.get("keep_ratio", False))
        self._interp = int(resize.get("interp", cv2.INTER_LINEAR))
        self._normalize = Normalizer(by_type.get(NORMALIZE))
        pads = [by_type[name] for name in PAD_STRIDE if name in by_type]
        self._stride = int(next((pad.get("stride", pad.get("pad_to_stride", 0)) for pad in pads), 0))

    def __call__(self, images: Sequence[np.ndarray]) -> DetectorInput:
        """Prepare (H, W, 3) RGB uint8 images of any sizes; smaller ones are padded to the largest of the batch."""
        if self._letterbox:
            return self._letterboxed(images)
        pairs = [resize_to(image, self._target_hw, self._keep_ratio, self._interp) for image in images]
        resized, scales = [image for image, _ in pairs], [scale_yx for _, scale_yx in pairs]
        shapes = np.array([image.shape[:2] for image in resized], np.float32)
        height, width = (self._padded(int(side)) for side in shapes.max(axis=0))
        tensor = np.zeros((len(images), 3, height, width), np.float32)
        for row, image in enumerate(resized):
            tensor[row, :, : image.shape[0], : image.shape[1]] = self._normalize(image[None])[0]
        return DetectorInput(tensor, np.array(scales, np.float32), shapes)

    def _letterboxed(self, images: Sequence[np.ndarray]) -> DetectorInput:
        boxes = [Letterbox.fit((image.shape[1], image.shape[0]), self._target_hw[::-1]) for image in images]
        tensor = self._normalize(np.stack([box.apply(image, GREY, SHRINKING) for box, image in zip(boxes, images)]))
        scales = np.array([box.scale_xy[::-1] for box in boxes], np.float32)
        return DetectorInput(tensor, scales, np.array([box.resized_wh[::-1] for box in boxes], np.float32))

    def _padded(self, side: int) -> int:
        return side if self._stride <= 0 else -(-side // self._stride) * self._stride
