"""CrowdPose AP, overall and by crowd index.

Protocol: Li et al., "CrowdPose: Efficient Crowded Scenes Pose Estimation and a New Benchmark", CVPR 2019, as implemented in its
    evaluation code: OKS with .53 of the box as area, at most 20 people per image, and AP of three groups of images by
    `crowdIndex`: easy below .2, medium below .8, hard from .8 on. (The paper's text says .1 instead of .2; every published
    figure comes from the code.)
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Sequence

from ppdet.annotations.values import is_number
from ppdet.core.config.registry import register
from ppdet.metrics.bottom_up_keypoint import KeyPointBottomUpCOCOEval
from ppdet.metrics.coco_evaluation import CROWDPOSE_HEADER, CROWDPOSE_STATS, evaluate_crowdpose
from ppdet.metrics.coco_ground_truth import POSE_CATEGORY

EASY_BELOW, MEDIUM_BELOW = 0.2, 0.8


@register
class KeyPointCrowdPoseEval(KeyPointBottomUpCOCOEval):
    """CrowdPose's nine figures: AP, AP .5, AP .75, AR, AR .5, AR .75, and AP of easy, medium and hard images.

    Args:
        skeleton: default the 14 keypoints of CrowdPose.

    The others are described at `KeypointMetric`. Images without `crowdIndex` count in AP and in none of the groups; a
    group without images has -1.
    """

    header = CROWDPOSE_HEADER
    stat_names = CROWDPOSE_STATS
    default_skeleton = "crowdpose14"
    areas_of_file = False

    @cached_property
    def groups(self) -> dict[str, list[Any]]:
        """Image ids of "easy", "medium" and "hard"; images without a crowdIndex are in none of them."""
        groups: dict[str, list[Any]] = {"easy": [], "medium": [], "hard": []}
        truth = self.ground_truth
        for image_id, number in zip(truth.image_ids, truth.image_numbers):
            index = truth.coco.imgs[number].get("crowdIndex")
            if is_number(index):
                groups["easy" if index < EASY_BELOW else "medium" if index < MEDIUM_BELOW else "hard"].append(image_id)
        return groups

    def _figures(self, results: Sequence[dict[str, Any]]) -> dict[str, float]:
        truth = self.ground_truth
        numbers = dict(zip(truth.image_ids, truth.image_numbers))
        groups = {name: [numbers[image_id] for image_id in ids] for name, ids in self.groups.items()}
        return evaluate_crowdpose(truth.coco, results, [POSE_CATEGORY], self.skeleton.sigmas, groups)

    def notes(self) -> list[str]:
        """Also the number of images without a crowdIndex."""
        unknown = len(self.ground_truth.image_ids) - sum(map(len, self.groups.values()))
        notes = [f"{unknown} image(s) have no crowdIndex: they are in none of easy, medium and hard"] if unknown else []
        return [*super().notes(), *notes]
