"""CrowdPose AP, also by how crowded an image is.

Protocol: Li et al., "CrowdPose: Efficient Crowded Scenes Pose Estimation and a New Benchmark", CVPR 2019, as its evaluation
code has it: OKS without areas (.53 of the box instead), at most 20 people an image, and AP of three groups of images by
their `crowdIndex`: easy below .2, medium below .8, hard from .8 on. (The paper's text draws the first line at .1; every
published figure comes from the code.)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Sequence

from ppdet.core.registry import register
from ppdet.geometry.annotated_object import AREA_PER_BOX
from ppdet.metrics.bottom_up_keypoint import KeyPointBottomUpCOCOEval
from ppdet.metrics.coco_evaluation import CROWD_STATS, evaluate_crowds
from ppdet.metrics.report import CROWD_HEADER
from ppdet.skeletons import Skeleton

EASY_BELOW, MEDIUM_BELOW = 0.2, 0.8


@register
class KeyPointCrowdPoseEval(KeyPointBottomUpCOCOEval):
    """CrowdPose's nine figures: AP, AP .5, AP .75, AR, AR .5, AR .75, and AP of easy, medium and hard images.

    Args:
        skeleton: default the 14 keypoints of CrowdPose.

    The others are described at `KeypointMetric`. Images without `crowdIndex` count in AP and in none of the groups; a
    group without images has -1.
    """

    header = CROWD_HEADER
    stat_names = CROWD_STATS

    def __init__(
        self,
        anno_file: str | Path,
        num_joints: int | None = None,
        output_eval: str | Path | None = None,
        save_prediction_only: bool = False,
        *,
        skeleton: Skeleton | str | Mapping[str, Any] = "crowdpose14",
        category_id: int | None = None,
        per_keypoint: bool = True,
    ) -> None:
        super().__init__(
            anno_file, num_joints, output_eval, save_prediction_only,
            skeleton=skeleton, category_id=category_id, per_keypoint=per_keypoint,
        )  # fmt: skip
        for annotation in self.ground_truth.coco.dataset["annotations"]:
            annotation["area"] = AREA_PER_BOX * annotation["bbox"][2] * annotation["bbox"][3]
        self.groups, self._no_index = _by_crowd_index(self.ground_truth.coco.imgs)

    def _figures(self, results: Sequence[dict[str, Any]]) -> dict[str, float]:
        return evaluate_crowds(self.ground_truth.coco, results, [self.category_id], self.skeleton.sigmas, self.groups)

    def notes(self) -> list[str]:
        """Also tells images of unknown crowdedness; areas are no part of this protocol."""
        notes = [note for note in super().notes() if "area" not in note]
        if self._no_index:
            notes.append(f"{self._no_index} image(s) have no crowdIndex: they are in none of easy, medium and hard")
        return notes


def _by_crowd_index(images: Mapping[Any, Mapping[str, Any]]) -> tuple[dict[str, list[Any]], int]:
    """Image ids of "easy", "medium" and "hard", and the number of images that have no crowdIndex."""
    groups: dict[str, list[Any]] = {"easy": [], "medium": [], "hard": []}
    unknown = 0
    for image_id, image in images.items():
        index = image.get("crowdIndex")
        if isinstance(index, bool) or not isinstance(index, (int, float)) or index != index:
            unknown += 1
        else:
            groups["easy" if index < EASY_BELOW else "medium" if index < MEDIUM_BELOW else "hard"].append(image_id)
    return groups, unknown
