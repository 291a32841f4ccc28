"""Sets of keypoints: names, mirror pairs, OKS sigmas, links (see :class:`Skeleton`)."""

from ppdet.skeletons.base import Keypoint, Skeleton
from ppdet.skeletons.lookup import get_skeleton, skeleton_for_count, skeleton_from_categories, skeleton_from_config

__all__ = [
    "Keypoint",
    "Skeleton",
    "get_skeleton",
    "skeleton_for_count",
    "skeleton_from_categories",
    "skeleton_from_config",
]
