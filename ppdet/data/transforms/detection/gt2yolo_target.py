"""Targets of an anchor-based YOLO head.

Legend: B batch, A anchors of a level, C classes, h w cells of a level, G boxes per image, N anchors of all levels.
"""

from __future__ import annotations

from typing import Any, Dict, Sequence, Tuple

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError

CHANNELS = 6
"""x, y, w, h, scale and trust come before the classes."""


@register
class Gt2YoloTarget:
    """Gives each box to the cell of its centre and to the anchor whose shape overlaps it most, of all levels.

    Args:
        anchors: width and height in pixels of the N anchors.
        anchor_masks: indices of each level's anchors.
        downsample_ratios: pixels per cell of each level.
        num_classes: C.
        iou_thresh: further anchors whose shape overlaps the box by more (IoU) learn it, too, where no box is yet; 1 for none.

    Raises:
        ConfigError: levels that contradict each other.
    """

    __shared__ = ["num_classes"]

    def __init__(
        self,
        anchors: Sequence[Sequence[float]],
        anchor_masks: Sequence[Sequence[int]],
        downsample_ratios: Sequence[int],
        num_classes: int = 80,
        iou_thresh: float = 1.0,
    ) -> None:
        self.anchors = np.array(anchors, np.float64).reshape(-1, 2)
        if len(anchor_masks) != len(downsample_ratios) or any(i not in range(len(anchors)) for m in anchor_masks for i in m):
            raise ConfigError(
                f"Gt2YoloTarget: {len(anchor_masks)} anchor_masks with {len(downsample_ratios)} downsample_ratios must index "
                f"the {len(anchors)} anchors"
            )
        self.anchor_masks, self.downsample_ratios = [list(mask) for mask in anchor_masks], list(downsample_ratios)
        self.num_classes, self.iou_thresh = num_classes, iou_thresh

    def apply_batch(self, batch: Dict[str, Any]) -> Dict[str, Any]:
        """Add ``target0``, ``target1``, ... (B, A, 6 + C, h, w) float32: x, y in the cell, log w, log h over the anchor, weight
        2 - area share, trust in the box (0: no box), classes.

        The height and width are those of ``image``, (B, 3, H, W) or (B, H, W, 3).
        """
        shape = batch["image"].shape
        size_wh = np.array([shape[3], shape[2]] if shape[1] == 3 else [shape[2], shape[1]], np.float64)
        targets = [
            np.zeros((shape[0], len(mask), CHANNELS + self.num_classes, *(int(s) // ratio for s in size_wh[::-1])), np.float32)
            for mask, ratio in zip(self.anchor_masks, self.downsample_ratios)
        ]
        # The float32 of the boxes stays as it is: a centre on the border of two cells must not change sides.
        boxes = batch["gt_boxes"].astype(np.float64) / np.tile(size_wh, 2)
        for row in range(shape[0]):
            kept = np.flatnonzero(batch["gt_mask"][row] > 0)
            for i in kept:
                trust, label = float(batch["gt_scores"][row, i]), int(batch["gt_labels"][row, i])
                centre, sides = (boxes[row, i, :2] + boxes[row, i, 2:]) / 2, boxes[row, i, 2:] - boxes[row, i, :2]
                if trust > 0 and (sides > 0).all():
                    self._set(targets, row, (centre, sides), size_wh, trust, label)
        batch.update((f"target{i}", target) for i, target in enumerate(targets))
        return batch

    def _set(
        self, targets: Any, row: int, box: Tuple[np.ndarray, np.ndarray], size_wh: np.ndarray, trust: float, label: int
    ) -> None:
        overlap = shape_iou(box[1] * size_wh, self.anchors)
        best = int(np.argmax(overlap))
        for level, mask in enumerate(self.anchor_masks):
            for place, anchor in enumerate(mask):
                if anchor != best and not overlap[anchor] > self.iou_thresh:
                    continue
                height, width = targets[level].shape[3:]
                at = box[0] * (width, height)
                column, line = (min(int(v), n - 1) for v, n in zip(at, (width, height)))
                cell = targets[level][row, place, :, line, column]
                if anchor != best and cell[5] > 0:
                    continue
                cell[:2] = at - (column, line)
                cell[2:4] = np.log(box[1] * size_wh / self.anchors[anchor])
                cell[4] = 2.0 - box[1].prod()
                cell[5] = trust
                cell[CHANNELS + label] = 1.0


def shape_iou(sides: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """(N,) IoU of a box of width and height (2,) with anchors (N, 2), all at one corner."""
    common = np.minimum(sides, anchors).prod(axis=1)
    return common / (sides.prod() + anchors.prod(axis=1) - common)
