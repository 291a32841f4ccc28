"""CrowdPose: COCO's layout with 14 keypoints, neither areas nor segmentations, and a `crowdIndex` per image."""

from __future__ import annotations

from ppdet.core.config.registry import register
from ppdet.data.sources.bottom_up_coco import KeypointBottomUpCocoDataset


@register
class KeypointBottomUpCrowdPoseDataset(KeypointBottomUpCocoDataset):
    """Images of CrowdPose (Li et al., CVPR 2019) with all their people; scored by `KeyPointCrowdPoseEval`.

    People without labelled keypoints are ignored by their box, since the files have no segmentations; areas are taken as .53 of
    the box. Arguments are those of `KeypointBottomUpCocoDataset`.
    """

    default_joints = 14
