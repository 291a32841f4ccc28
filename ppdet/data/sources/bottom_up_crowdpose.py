"""CrowdPose: COCO's layout with 14 keypoints, neither areas nor segmentations, and a `crowdIndex` for every image."""

from __future__ import annotations

from typing import Any, Sequence, Union

from ppdet.core.registry import register
from ppdet.data.sources.bottom_up_coco import KeypointBottomUpCocoDataset


@register
class KeypointBottomUpCrowdPoseDataset(KeypointBottomUpCocoDataset):
    """Images of CrowdPose (Li et al., CVPR 2019) with all their people; scored by `KeyPointCrowdPoseEval`.

    People without labelled keypoints are ignored by their box, since the files have no segmentations; areas are taken as .53 of
    the box. Arguments are those of `KeypointBottomUpCocoDataset`.
    """

    def __init__(
        self,
        dataset_dir: str = "",
        image_dir: str = "",
        anno_path: str = "",
        num_joints: int = 14,
        transform: Sequence[Any] = (),
        shard: Sequence[int] = (0, 1),
        test_mode: bool = False,
        return_mask: bool = True,
        return_bbox: bool = True,
        return_area: bool = True,
        return_class: bool = True,
        category: Any = None,
        cache: Union[bool, str] = "auto",
        skeleton: Any = None,
    ) -> None:
        super().__init__(
            dataset_dir, image_dir, anno_path, num_joints, transform, shard, test_mode,
            return_mask, return_bbox, return_area, return_class, category, cache, skeleton,
        )  # fmt: skip
