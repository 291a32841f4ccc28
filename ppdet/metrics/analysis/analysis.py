"""Everything that can be said of a result file beside its scores.

Legend: N labelled objects, K keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np

from ppdet.core.errors import DataError
from ppdet.metrics.analysis.box_recall import BoxRecall, box_recall
from ppdet.metrics.analysis.calibration import CalibrationFit, fit_calibration
from ppdet.metrics.analysis.error_kinds import DETECTOR_MISS, GOOD, KINDS, ErrorKinds, classify_errors
from ppdet.metrics.coco_evaluation import evaluate_coco
from ppdet.metrics.coco_ground_truth import POSE_CATEGORY, CocoGroundTruth
from ppdet.metrics.landmarks.matching import MatchedObjects, match_objects
from ppdet.skeletons import Skeleton

RIGHT_FROM = 0.5
"""A keypoint counts as right in the calibration from this OKS term on."""


@dataclass(frozen=True)
class Analysis:
    """The findings.

    Attributes:
        objects: labelled objects with their predictions.
        errors: kind of each keypoint.
        ap: AP of the results.
        ap_without: kind of error -> AP if all errors of this kind were corrected; detector misses are left as they are.
        calibration: None if it cannot be fitted; `no_calibration` says why.
        boxes: annotated against detected boxes, None without a detector's.
    """

    objects: MatchedObjects
    errors: ErrorKinds
    ap: float
    ap_without: Dict[str, float]
    calibration: Optional[CalibrationFit]
    no_calibration: str = ""
    boxes: Optional[BoxRecall] = None

    def worst(self, count: int) -> List[int]:
        """Rows of the objects with the smallest OKS, those without a prediction first."""
        return np.argsort(self.errors.oks, kind="stable")[:count].tolist()

    def to_dict(self, skeleton: Skeleton) -> Dict[str, Any]:
        """Plain values, for JSON."""
        counts = self.errors.counts()
        content: Dict[str, Any] = {
            "objects": len(self.objects),
            "AP": self.ap,
            "kinds": dict(zip(KINDS, counts.sum(axis=0).tolist())),
            "keypoints": {name: dict(zip(KINDS, row)) for name, row in zip(skeleton.names, counts.tolist())},
            "AP_if_corrected": self.ap_without,
            "confusions": [
                {"kind": kind, "keypoint": a, "taken_for": b, "count": n}
                for kind, a, b, n in self.errors.confusions(skeleton.names)
            ],
        }
        fit = self.calibration
        if fit is not None:
            content["calibration"] = {
                "ECE": fit.before.ece, "temperature": fit.temperature_only.temperature,
                "ECE_with_temperature": fit.with_temperature.ece, "proposed": fit.proposed.to_dict(),
                "ECE_proposed": fit.after.ece,
            }  # fmt: skip
        if self.boxes is not None:
            recall = {f"recall@{text}": self.boxes.recall(iou) for text, iou in ((".5", 0.5), (".75", 0.75))}
            content["boxes"] = {"count": self.boxes.boxes, **recall}
        return content


def analyze_results(
    truth: CocoGroundTruth,
    results: Sequence[Mapping[str, Any]],
    skeleton: Skeleton,
    detections: Optional[Sequence[Mapping[str, Any]]] = None,
) -> Analysis:
    """Analyze result entries.

    Args:
        truth: annotation file, read for the skeleton's number of keypoints.
        results: COCO result entries.
        skeleton: names, mirror pairs and sigmas.
        detections: a detector's boxes: image_id of the file, bbox, score; None for none.

    Raises:
        DataError: an image id is not in the file, or nobody is labelled.
    """
    numbered = truth.for_coco(results)
    annotations = truth.coco.dataset["annotations"]
    objects = match_objects(annotations, numbered, skeleton.sigmas)
    if not len(objects):
        raise DataError(f"{truth.path}: nobody in it has labelled keypoints, so there is nothing to compare with")
    errors = classify_errors(objects, skeleton)
    ap = _ap(truth, numbered, skeleton)
    corrected = {
        kind: _ap(truth, _corrected(numbered, objects, errors, number), skeleton)
        for number, kind in enumerate(KINDS)
        if kind not in (GOOD, DETECTOR_MISS)
    }
    calibration, reason = _calibration(objects, errors)
    boxes = None
    if detections is not None:
        numbers = dict(zip(truth.image_ids, truth.image_numbers))
        known = [{**each, "image_id": numbers[each["image_id"]]} for each in detections if each["image_id"] in numbers]
        boxes = box_recall(objects.image, objects.box_xywh, known)
    return Analysis(objects, errors, ap, corrected, calibration, reason, boxes)


def _calibration(objects: MatchedObjects, errors: ErrorKinds) -> tuple[Optional[CalibrationFit], str]:
    counted = (errors.kind >= 0) & (errors.kind != KINDS.index(DETECTOR_MISS)) & np.isfinite(objects.scores)
    try:
        return fit_calibration(objects.scores[counted], errors.similarity[counted] >= RIGHT_FROM), ""
    except DataError as error:
        return None, str(error)


def _ap(truth: CocoGroundTruth, results: Sequence[Dict[str, Any]], skeleton: Skeleton) -> float:
    return evaluate_coco(truth.coco, results, "keypoints", [POSE_CATEGORY], skeleton.sigmas)["AP"]


def _corrected(
    results: Sequence[Dict[str, Any]], objects: MatchedObjects, errors: ErrorKinds, number: int
) -> List[Dict[str, Any]]:
    """The results with the truth in place of each keypoint of one kind of error."""
    changed = list(results)
    for row in np.flatnonzero((errors.kind == number).any(axis=1)).tolist():
        place = int(objects.result[row])
        points = np.array(changed[place]["keypoints"], np.float64).reshape(-1, 3)
        wrong = errors.kind[row] == number
        points[wrong, :2] = objects.truth[row, wrong, :2]
        changed[place] = {**changed[place], "keypoints": points.reshape(-1).tolist()}
    return changed
