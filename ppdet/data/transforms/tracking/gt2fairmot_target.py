"""What FairMOT learns of a batch: heatmaps of centres, sizes, offsets and identities.

Legend: B batch, C classes, G boxes of the image that has most, h w cells of the map, M boxes at most.
"""

from __future__ import annotations

import math
from typing import Any, Dict

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError

LEAST_IOU = 0.7
"""IoU that a box keeps if both corners move by the radius of the Gaussian."""


@register
class Gt2FairMOTTarget:
    """Adds the targets of `CenterNetHead` and `FairMOTEmbeddingHead` to a batch.

    Args:
        num_classes: C.
        down_ratio: input pixels per cell.
        max_objs: M; images with more boxes teach the first M.

    Raises:
        ConfigError: numbers below 1.
    """

    __shared__ = ["num_classes"]

    def __init__(self, num_classes: int = 1, down_ratio: int = 4, max_objs: int = 500) -> None:
        if min(num_classes, down_ratio, max_objs) < 1:
            raise ConfigError(f"Gt2FairMOTTarget: num_classes, down_ratio and max_objs are 1 or more; given {num_classes}, "
                              f"{down_ratio} and {max_objs}")  # fmt: skip
        self.num_classes, self.down_ratio, self.max_objs = num_classes, down_ratio, max_objs

    def apply_batch(self, batch: Dict[str, Any]) -> Dict[str, Any]:
        """Adds center_heatmap (B, C, h, w), center_index (B, M) cells numbered row by row, center_mask (B, M), center_size
        (B, M, 4) distances of the four sides in cells, center_offset (B, M, 2) and center_identity (B, M), -1 if unknown.

        Args:
            batch: "image" (B, 3, H, W), "gt_boxes" (B, G, 4) in pixels, "gt_labels", "gt_mask" and "gt_identities" (B, G).
        """
        height, width = (side // self.down_ratio for side in batch["image"].shape[2:])
        count = len(batch["image"])
        target = {
            "center_heatmap": np.zeros((count, self.num_classes, height, width), np.float32),
            "center_index": np.zeros((count, self.max_objs), np.int64),
            "center_mask": np.zeros((count, self.max_objs), np.float32),
            "center_size": np.zeros((count, self.max_objs, 4), np.float32),
            "center_offset": np.zeros((count, self.max_objs, 2), np.float32),
            "center_identity": np.full((count, self.max_objs), -1, np.int64),
        }
        for row in range(count):
            real = np.flatnonzero(batch["gt_mask"][row] > 0)[: self.max_objs]
            boxes = np.asarray(batch["gt_boxes"][row][real], np.float64) / self.down_ratio
            self._fill({name: array[row] for name, array in target.items()}, boxes, batch["gt_labels"][row][real],
                       batch["gt_identities"][row][real])  # fmt: skip
        return {**batch, **target}

    def _fill(self, target: Dict[str, np.ndarray], boxes: np.ndarray, labels: np.ndarray, identities: np.ndarray) -> None:
        """Write the targets of one image, whose boxes are in cells."""
        height, width = target["center_heatmap"].shape[1:]
        for slot, (box, label, identity) in enumerate(zip(boxes, labels, identities)):
            side = box[2:] - box[:2]
            if (side <= 0).any():
                continue
            # people who reach over the border have their centre on it, and sides that tell the whole box
            centre = np.clip((box[:2] + box[2:]) / 2, 0, [width - 1, height - 1]).astype(np.float32)
            cell = centre.astype(np.int64)
            target["center_size"][slot] = [*(centre - box[:2]), *(box[2:] - centre)]
            target["center_offset"][slot] = centre - cell
            target["center_index"][slot], target["center_mask"][slot] = cell[1] * width + cell[0], 1.0
            target["center_identity"][slot] = identity
            draw_gaussian(target["center_heatmap"][int(label)], cell, gaussian_radius(math.ceil(side[1]), math.ceil(side[0])))


def gaussian_radius(height: float, width: float, least_iou: float = LEAST_IOU) -> int:
    """Cells that the corners of a box may move and the box still overlaps with itself: as CornerNet's code had it first.

    Its three cases (one corner inside, both inside, both outside) divide by 2 instead of 2a, and the radii of published models
    follow that.
    """
    total, area = height + width, height * width
    b1, c1 = total, area * (1 - least_iou) / (1 + least_iou)
    b2, c2 = 2 * total, (1 - least_iou) * area
    b3, c3 = -2 * least_iou * total, (least_iou - 1) * area
    radii = (
        (b1 + math.sqrt(b1**2 - 4 * c1)) / 2,
        (b2 + math.sqrt(b2**2 - 16 * c2)) / 2,
        (b3 + math.sqrt(b3**2 - 16 * least_iou * c3)) / 2,
    )
    return max(0, int(min(radii)))


def draw_gaussian(heatmap: np.ndarray, cell_xy: np.ndarray, radius: int) -> None:
    """Raise an (h, w) heatmap to a Gaussian of peak 1 around a cell, in place."""
    height, width = heatmap.shape
    x, y = int(cell_xy[0]), int(cell_xy[1])
    sigma = (2 * radius + 1) / 6
    reach = np.arange(-radius, radius + 1)
    bump = np.exp(-(reach[:, None] ** 2 + reach[None] ** 2) / (2 * sigma**2))
    bump[bump < np.finfo(bump.dtype).eps * bump.max()] = 0
    left, right, top, bottom = min(x, radius), min(width - x, radius + 1), min(y, radius), min(height - y, radius + 1)
    part = heatmap[y - top : y + bottom, x - left : x + right]
    np.maximum(part, bump[radius - top : radius + bottom, radius - left : radius + right], out=part, casting="same_kind")
