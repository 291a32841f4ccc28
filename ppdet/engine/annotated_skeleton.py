"""Names of the keypoints of a config that states only their number, from the annotation file of its datasets."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Iterator, Mapping

from ppdet.annotations.coco_file import read_coco, select_categories
from ppdet.core.errors import PpdetError
from ppdet.core.logger import get_logger
from ppdet.skeletons import Skeleton, skeleton_from_categories

_log = get_logger(__name__)

# Larger files take seconds to read, and the dataset reads them again.
LARGEST_FILE = 64 * 1024 * 1024


def named_by_annotations(skeleton: Skeleton, config: Mapping[str, Any]) -> Skeleton:
    """The skeleton with the names, links and mirror pairs of the annotated category, if the config leaves them open.

    Mirror pairs that the config states stay as they are. Nothing changes if the config has a `skeleton`, if its number and pairs
    are those of a known one (the dataset remarks on other names), or if no annotation file is there that names as many.

    Args:
        skeleton: of `skeleton_from_config`.
        config: a loaded config.
    """
    if config.get("skeleton") is not None or list(skeleton.names) != [f"kp{i}" for i in range(skeleton.num_keypoints)]:
        return skeleton
    for category in _categories(config):
        if len(category["keypoints"]) != skeleton.num_keypoints or len(set(category["keypoints"])) != skeleton.num_keypoints:
            continue
        named = skeleton_from_categories(category)
        if config.get("flip_perm") is not None:
            partner = dict(zip(skeleton.names, named.names))
            pairs = zip(named.keypoints, skeleton.keypoints)
            named = replace(named, keypoints=tuple(replace(row, mirror=partner[stated.mirror]) for row, stated in pairs))
        _log.info("the config states no names of its %d keypoints; those of category %r in its annotations are used: %s",
                  skeleton.num_keypoints, category["name"], ", ".join(named.names))  # fmt: skip
        return named
    return skeleton


def _categories(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Categories with keypoints that the datasets use; a file that cannot be read is left to the dataset, which says why."""
    for key in ("EvalDataset", "TrainDataset"):  # the smaller file first
        section = config.get(key)
        if not isinstance(section, Mapping) or not isinstance(section.get("anno_path"), str):
            continue
        path = os.path.join(str(section.get("dataset_dir") or ""), section["anno_path"])
        if not os.path.isfile(path) or os.path.getsize(path) > LARGEST_FILE:
            continue
        try:
            content = read_coco(path)
            wanted = select_categories(content, section.get("category"), path) or set()
        except PpdetError:
            continue
        yield from (each for each in content["categories"] if each["id"] in wanted and each.get("keypoints"))
