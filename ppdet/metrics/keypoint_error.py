"""Mean distance of keypoints in pixels, with COCO's AP beside it: for data of any kind.

Axes: M matched objects, K keypoints.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np

from ppdet.core.config.registry import register
from ppdet.metrics.coco_keypoint import KeyPointTopDownCOCOEval
from ppdet.metrics.report import markdown_row
from ppdet.skeletons import Skeleton

PCK = "PCK@0.1"


@register
class KeyPointTopDownErrorEval(KeyPointTopDownCOCOEval):
    """EPE, the mean distance in pixels over all labelled keypoints, decides; then the median, PCK@0.1 of the box, and COCO's AP.

    Every labelled object is compared with the prediction of its image that fits it best. Objects of images without predictions
    count as missed in AP and PCK, and are named in the report, but have no distance.

    Arguments are those of `KeyPointTopDownCOCOEval`. Overlapping objects are kept (`nms: none`), since in annotated boxes each
    prediction belongs to one of them.
    """

    main = "EPE"
    higher_is_better = False
    error_names: Sequence[str] = ("EPE", "median", PCK)

    def __init__(
        self,
        anno_file: str | Path,
        num_samples: int | None = None,
        num_joints: int | None = None,
        output_eval: str | Path | None = None,
        iou_type: str = "keypoints",
        in_vis_thre: float = 0.2,
        oks_thre: float = 0.9,
        save_prediction_only: bool = False,
        *,
        skeleton: Skeleton | str | Mapping[str, Any] = "coco17",
        nms: str = "none",
        category: Any = None,
    ) -> None:
        super().__init__(
            anno_file, num_samples, num_joints, output_eval, iou_type, in_vis_thre, oks_thre, save_prediction_only,
            skeleton=skeleton, nms=nms, category=category,
        )  # fmt: skip
        self._distances = np.zeros((0, self.skeleton.num_keypoints))

    def score(self, results: Sequence[dict[str, Any]]) -> dict[str, float]:
        """The figures of result entries; EPE is infinite if nothing was found."""
        coco = super().score(results)
        truth = self.keypoint_scores["truth"]
        distance = np.linalg.norm(self.keypoint_scores["matched_xy"] - truth[..., :2], axis=2)
        self._distances = np.where(truth[..., 2] > 0, distance, np.nan)
        known = self._distances[np.isfinite(self._distances)]
        count, right = self.keypoint_scores["count"], np.nan_to_num(self.keypoint_scores["pck"])
        errors = {
            "EPE": float(known.mean()) if known.size else float("inf"),
            "median": float(np.median(known)) if known.size else float("inf"),
            PCK: float((right * count).sum() / max(count.sum(), 1)),
        }
        self.stats = {**errors, **coco}
        return dict(self.stats)

    def report(self) -> str:
        """The distances, COCO's figures, notes, and a row per keypoint."""
        if not self.stats:
            return "no evaluation was made"
        errors = [self.stats[name] for name in self.error_names]
        values = [*errors, *(self.stats[name] for name in self.stat_names)]
        figures = markdown_row(["EPE (pixels)", "median", PCK, *self.header], values)
        return "\n".join([figures, *(f"note: {note}" for note in self.notes()), self._table()])

    def _table(self) -> str:
        rows = [
            "| keypoint | labelled | mean error (pixels) | median | PCK@0.1 box | mean OKS term |",
            "|---|---|---|---|---|---|",
        ]
        for index, name in enumerate(self.skeleton.names):
            known = self._distances[:, index][np.isfinite(self._distances[:, index])]
            count = int(self.keypoint_scores["count"][index])
            shown = ["-"] * 4
            if known.size and count:
                shares = self.keypoint_scores["pck"][index], self.keypoint_scores["similarity"][index]
                figures = (known.mean(), np.median(known), *shares)
                shown = [f"{figures[0]:.2f}", f"{figures[1]:.2f}", f"{figures[2]:.3f}", f"{figures[3]:.3f}"]
            rows.append(f"| {name} | {count} | {' | '.join(shown)} |")
        return "\n".join(rows)
