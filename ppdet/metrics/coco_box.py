"""COCO box AP of a detector.

Axes: B images of a batch, N detections. Boxes are xyxy in image pixels.
Protocol: https://cocodataset.org/#detection-eval (AP over IoU .50:.05:.95, at most 100 boxes per image).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Sequence

import numpy as np

from ppdet.annotations.values import Id
from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.metrics.coco_evaluation import BOX_HEADER, BOX_STATS, evaluate_coco
from ppdet.metrics.coco_ground_truth import CocoGroundTruth
from ppdet.metrics.result_file import ResultMetric, markdown_row


@register
class COCOMetric(ResultMetric):
    """The twelve COCO box figures.

    Args:
        anno_file: COCO annotation file.
        label_list: names of the detector's classes. A class is evaluated as the category of the same name, and the only class
            of a detector as the only category of a file, whatever their names. Classes without a category are left out. None:
            classes are the file's categories, sorted by id.
        clsid2catid: explicit {class: category id}, instead of names.
        output_eval: folder for `bbox.json`; None writes only through `save`.
        bias: added to widths and heights in the result file (PaddleDetection's key).
        IouType: "bbox".
        save_prediction_only: write the predictions and skip the evaluation.
        classwise: also the AP of each category.

    Raises:
        ConfigError: another IouType, or no class belongs to a category.
        DataError: annotation file missing or unreadable.
    """

    __shared__ = ["save_prediction_only", "classwise", "bias"]
    main = "AP"
    result_file = "bbox.json"

    def __init__(
        self,
        anno_file: str | Path,
        label_list: Sequence[str] | None = None,
        clsid2catid: Mapping[int, int] | None = None,
        output_eval: str | Path | None = None,
        bias: float = 0,
        IouType: str = "bbox",  # noqa: N803  (PaddleDetection's key)
        save_prediction_only: bool = False,
        classwise: bool = False,
    ) -> None:
        if IouType != "bbox":
            raise ConfigError(
                f"COCOMetric: IouType is {IouType!r}, only 'bbox' exists here; for keypoints of bottom-up models write "
                "`metric: COCO` and `IouType: keypoints` at the top of the config."
            )
        self.ground_truth = CocoGroundTruth(anno_file)
        self.categories = dict(clsid2catid) if clsid2catid else _match_categories(self.ground_truth, label_list)
        self.output_eval = None if output_eval is None else Path(output_eval)
        self.bias = float(bias)
        self.save_prediction_only = bool(save_prediction_only)
        self.classwise = bool(classwise)
        self.stats: dict[str, float] = {}
        self.class_ap: dict[str, float] = {}
        self.reset()

    def reset(self) -> None:
        """Discard all collected detections."""
        self._images: set[int] = set()
        self._rows: list[np.ndarray] = []

    def update(self, batch: Mapping[str, np.ndarray]) -> None:
        """Collect the detections of some images; all detections of an image must be in one call.

        Args:
            batch: image_id (N,), boxes (N,4), scores (N,), labels (N,), one row per detection; evaluated (B,), the ids of the
                evaluated images, with or without detections. Images given twice count once.

        Raises:
            DataError: an image id that the annotation file does not have.
        """
        rows_of = self.ground_truth.image_rows
        self._collect({**batch, "evaluated": rows_of(batch["evaluated"]), "image_id": rows_of(batch["image_id"])})

    def _collect(self, batch: Mapping[str, np.ndarray]) -> None:
        evaluated = set(batch["evaluated"].tolist())
        columns = (np.asarray(batch[name], np.float64) for name in ("image_id", "boxes", "scores", "labels"))
        image_id, boxes, scores, labels = columns
        rows = np.column_stack([image_id.reshape(-1), boxes.reshape(-1, 4), scores.reshape(-1), labels.reshape(-1)])
        fresh = np.isin(rows[:, 0], list(evaluated - self._images))
        self._rows.append(rows[fresh])
        self._images |= evaluated

    def state(self) -> dict[str, np.ndarray]:
        """The collected detections as numeric arrays for another process; ids are rows of the annotation file."""
        rows = np.concatenate([np.zeros((0, 7)), *self._rows])
        return {
            "evaluated": np.array(sorted(self._images), np.int64),
            "image_id": rows[:, 0], "boxes": rows[:, 1:5], "scores": rows[:, 5], "labels": rows[:, 6],
        }  # fmt: skip

    def merge(self, states: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Add the `state()` of other processes, except images that are already there."""
        for state in states:
            self._collect(state)

    def results(self) -> list[dict[str, Any]]:
        """COCO result entries of the classes that have a category."""
        entries = []
        for image_row, x1, y1, x2, y2, score, label in np.concatenate([np.zeros((0, 7)), *self._rows]).tolist():
            if int(label) in self.categories:
                box = [x1, y1, x2 - x1 + self.bias, y2 - y1 + self.bias]
                entries.append(
                    {
                        "image_id": self.ground_truth.image_ids[int(image_row)],
                        "category_id": self.categories[int(label)],
                        "bbox": [round(value, 4) for value in box],
                        "score": score,
                    }
                )
        return entries

    def score(self, results: Sequence[dict[str, Any]]) -> dict[str, float]:
        """The twelve COCO figures of result entries, such as those of an older `bbox.json`.

        Raises:
            DataError: an image id that the annotation file does not have.
        """
        truth = self.ground_truth
        numbered = truth.for_coco(results)
        numbers = {truth.category_number(each): each for each in self.categories.values()}
        categories = sorted(set(numbers) - {0})
        self.stats = evaluate_coco(truth.coco, numbered, "bbox", categories)
        if self.classwise:
            names = truth.category_names
            self.class_ap = {names[numbers[n]]: evaluate_coco(truth.coco, numbered, "bbox", [n])["AP"] for n in categories}
        return dict(self.stats)

    def report(self) -> str:
        """The twelve figures as a markdown row, with `classwise` the AP of each category, then notes."""
        if not self.stats:
            return "no evaluation was made"
        parts = [markdown_row(BOX_HEADER, [self.stats[name] for name in BOX_STATS])]
        if self.class_ap:
            rows = [f"| {name} | {f'{ap:.3f}' if ap >= 0 else '-'} |" for name, ap in self.class_ap.items()]
            parts.append("\n".join(["| category | AP |", "|---|---|", *rows]))
        return "\n".join(parts + [f"note: {note}" for note in self.ground_truth.notes])


def _match_categories(ground_truth: CocoGroundTruth, label_list: Sequence[str] | None) -> dict[int, Id]:
    """{class: category id}, matched by name; see `COCOMetric`."""
    names = ground_truth.category_names
    if label_list is None:
        return dict(enumerate(sorted(names, key=lambda each: (isinstance(each, str), each))))
    if len(label_list) == 1 and len(names) == 1:
        return {0: next(iter(names))}
    by_name = {name.lower(): category for category, name in names.items()}
    # the class name of pedestrian detectors, which is COCO's person
    if "person" in by_name:
        by_name.setdefault("pedestrian", by_name["person"])
    found = {i: by_name[str(n).lower()] for i, n in enumerate(label_list) if str(n).lower() in by_name}
    if not found:
        raise ConfigError(
            f"no class of the detector ({', '.join(map(str, label_list[:5]))}) is a category of {ground_truth.path} "
            f"({', '.join(list(names.values())[:5])}). Give `clsid2catid`, or an annotation file with these categories."
        )
    return found
