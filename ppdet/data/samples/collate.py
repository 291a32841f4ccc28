"""Stacks samples into a batch of arrays.

Legend: B batch, K keypoints, H W crop pixels, h w cells of a map, M max_people, G boxes of the image that has most.
"""

from __future__ import annotations

from typing import Any, Dict, Sequence

import numpy as np

from ppdet.core.errors import DataError
from ppdet.data.samples.bottom_up import BottomUpSample
from ppdet.data.samples.image import ImageSample
from ppdet.data.samples.person import PersonSample


def collate(samples: Sequence[Any]) -> Dict[str, Any]:
    """A dict of stacked arrays.

    Persons give image (B, H, W, 3), center_xy and size_wh (B, 2), rotation, mirrored, box_score and area (B,), image_id, index
    and category_row (B,), visible (B, K), box_wh (B, 2) if the source has boxes, and, if made by transforms, xy_input (B, K,
    2), target and target_weight. Images with all their people give image, image_id, index, image_wh (B, 2), and, if the
    transforms made them, center_xy and size_wh (B, 2) of the part that is shown, heatmap_1x, heatmap_2x, ... (B, K, h, w),
    mask_1x, ... (B, h, w) and tag_joints (B, M, K, 2); before targets are made, lists of xy_input and visible. Detection images
    give image, image_id, index, im_shape and scale_factor (B, 2), lists of boxes_xyxy, labels, crowd, and, if boxes follow the
    image, gt_boxes (B, G, 4) float32 in its pixels, gt_labels (B, G) int64, gt_scores and gt_mask (B, G) float32, padded with
    zeros; G is at least 1 (`BatchMaker` adds the epoch); of a tracker's data also gt_identities (B, G) int64, padded with -1.

    Raises:
        DataError: images of different sizes.
    """
    batch: Dict[str, Any] = {
        "image": _stack_images(samples),
        "image_id": np.array([s.image_id for s in samples]),
        "index": np.array([s.index for s in samples], np.int64),
    }
    if isinstance(samples[0], PersonSample):
        batch.update(_persons(samples))
    else:
        batch.update(_bottom_up(samples) if isinstance(samples[0], BottomUpSample) else _images(samples))
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
        "category_row": np.array([s.category_row for s in samples], np.int64),
    }
    if all(s.box_xyxy is not None for s in samples):
        boxes = np.array([s.box_xyxy for s in samples], np.float32)
        batch["box_wh"] = boxes[:, 2:] - boxes[:, :2] + 1  # they end at the last pixel's centre
    for key in ("xy_input", "target", "target_weight"):
        if getattr(samples[0], key) is not None:
            batch[key] = np.stack([getattr(s, key) for s in samples]).astype(np.float32, copy=False)
    return batch


def _bottom_up(samples: Sequence[BottomUpSample]) -> Dict[str, Any]:
    first = samples[0]
    batch: Dict[str, Any] = {"image_wh": np.array([s.image_wh for s in samples], np.int64)}
    if first.frame is not None:
        batch["center_xy"] = np.concatenate([s.frame.center_xy for s in samples if s.frame is not None]).astype(np.float32)
        batch["size_wh"] = np.concatenate([s.frame.size_wh for s in samples if s.frame is not None]).astype(np.float32)
    if first.xy_input is not None and not first.heatmaps:
        batch["xy_input"] = [s.xy_input for s in samples]
        batch["visible"] = [s.visible for s in samples]
    for scale in range(len(first.heatmaps)):
        batch[f"heatmap_{2**scale}x"] = np.stack([s.heatmaps[scale] for s in samples])
    for scale in range(len(first.masks)):
        batch[f"mask_{2**scale}x"] = np.stack([s.masks[scale] for s in samples])
    if first.tag_joints is not None:
        batch["tag_joints"] = np.stack([s.tag_joints for s in samples])  # type: ignore[misc]
    return batch


def _images(samples: Sequence[ImageSample]) -> Dict[str, Any]:
    batch: Dict[str, Any] = {key: np.stack([getattr(s, key) for s in samples]) for key in ("im_shape", "scale_factor")}
    for key in ("boxes_xyxy", "labels", "crowd"):
        batch[key] = [getattr(s, key) for s in samples]
    if samples[0].boxes_input is not None:
        batch.update(_padded_boxes(samples))
    return batch


def _padded_boxes(samples: Sequence[ImageSample]) -> Dict[str, Any]:
    most = max(1, *(len(s.labels) for s in samples))
    boxes, labels = np.zeros((len(samples), most, 4), np.float32), np.zeros((len(samples), most), np.int64)
    scores, mask = np.zeros((len(samples), most), np.float32), np.zeros((len(samples), most), np.float32)
    for row, sample in enumerate(samples):
        count = len(sample.labels)
        assert sample.boxes_input is not None
        boxes[row, :count], labels[row, :count] = sample.boxes_input, sample.labels
        scores[row, :count] = 1.0 if sample.box_scores is None else sample.box_scores
        mask[row, :count] = 1.0
    batch: Dict[str, Any] = {"gt_boxes": boxes, "gt_labels": labels, "gt_scores": scores, "gt_mask": mask}
    if samples[0].identities is not None:
        identities = np.full((len(samples), most), -1, np.int64)
        for row, sample in enumerate(samples):
            assert sample.identities is not None
            identities[row, : len(sample.labels)] = sample.identities
        batch["gt_identities"] = identities
    return batch
