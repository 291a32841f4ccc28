"""Samples to a batch of arrays.

Legend: B batch, K keypoints, H W crop pixels.
"""

from __future__ import annotations

from typing import Any, Dict, Sequence

import numpy as np

from ppdet.core.errors import DataError
from ppdet.data.image_sample import ImageSample
from ppdet.data.sample import PersonSample


def collate(samples: Sequence[Any]) -> Dict[str, Any]:
    """A dict of stacked arrays.

    Persons give image (B, H, W, 3), center_xy and size_wh (B, 2), rotation, mirrored, box_score and area (B,),
    image_id and index (B,), visible (B, K), and, where the transforms made them, xy_input (B, K, 2), target and
    target_weight. Whole images give image, image_id, index, im_shape and scale_factor (B, 2), and lists of
    boxes_xyxy, labels, crowd.

    Raises:
        DataError: images of different sizes.
    """
    batch: Dict[str, Any] = {
        "image": _stack_images(samples),
        "image_id": np.array([s.image_id for s in samples]),
        "index": np.array([s.index for s in samples], np.int64),
    }
    batch.update(_persons(samples) if isinstance(samples[0], PersonSample) else _images(samples))
    return batch


def _stack_images(samples: Sequence[Any]) -> np.ndarray:
    images = [s.image for s in samples]
    if any(image.shape != images[0].shape for image in images):
        shapes = sorted({"x".join(map(str, image.shape)) for image in images})
        raise DataError(
            f"images of one batch have different sizes ({', '.join(shapes[:4])}); crop or resize them in "
            "sample_transforms, add PadBatch to batch_transforms, or set batch_size: 1"
        )
    return np.stack(images)


def _persons(samples: Sequence[PersonSample]) -> Dict[str, Any]:
    batch: Dict[str, Any] = {
        "center_xy": np.array([s.center_xy for s in samples], np.float32),
        "size_wh": np.array([s.size_wh for s in samples], np.float32),
        "rotation": np.array([s.rotation for s in samples], np.float32),
        "mirrored": np.array([s.mirrored for s in samples], bool),
        "box_score": np.array([s.box_score for s in samples], np.float32),
        "area": np.array([s.area for s in samples], np.float32),
        "visible": np.array([s.visible for s in samples], np.float32),
    }
    for key in ("xy_input", "target", "target_weight"):
        if getattr(samples[0], key) is not None:
            batch[key] = np.stack([getattr(s, key) for s in samples]).astype(np.float32, copy=False)
    return batch


def _images(samples: Sequence[ImageSample]) -> Dict[str, Any]:
    batch: Dict[str, Any] = {key: np.stack([getattr(s, key) for s in samples]) for key in ("im_shape", "scale_factor")}
    for key in ("boxes_xyxy", "labels", "crowd"):
        batch[key] = [getattr(s, key) for s in samples]
    return batch
