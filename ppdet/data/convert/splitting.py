"""Splits an annotation file into files for training and validation, whole groups of images at a time."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from ppdet.annotations.coco_file import read_coco
from ppdet.annotations.image_split import frame_blocks, image_groups, split_images
from ppdet.annotations.values import as_id
from ppdet.core.errors import ConfigError, DataError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.core.quantity import quantity

logger = get_logger(__name__)

FOLDER, IMAGE = "folder", "image"
"""Values of `--by` besides keys of the images."""
NAMED = 5
BLOCKS_PER_FOLD = 2
"""Parts of a single video in each fold: more would put more frames beside frames that were trained on."""


def split_file(
    path: Path,
    output: Path,
    share: float = 0.2,
    by: Optional[str] = None,
    folds: int = 0,
    seed: int = 42,
    overwrite: bool = False,
) -> List[Path]:
    """Write `train.json` and `val.json`, or one pair per fold.

    Args:
        path: COCO-style file.
        output: folder.
        share: wanted fraction of the images for validation.
        by: key of the images that must not be torn apart; "folder"; "image" for no groups; None finds groups.
        folds: number of folds; 0 for one pair.
        seed: of the choice.
        overwrite: replace existing files.

    Raises:
        ConfigError: a share or number of folds out of range, or files that exist.
        DataError: too few images or groups, images without the key, or one id of several images.
    """
    content = read_coco(path)
    images = _distinct([each for each in content["images"] if isinstance(each, dict) and as_id(each.get("id")) is not None], path)
    if folds and not 2 <= folds <= len(images):
        raise ConfigError(f"--folds {folds}: give 2 to {len(images)}, the number of images")
    if not folds and not 0 < share < 1:
        raise ConfigError(f"--val {share:g}: give a share between 0 and 1")
    parts, why = _parts(images, share, by, folds, seed)
    _warn_of_images_on_both_sides(images, parts, path)
    folders = [output / f"fold{number}" for number in range(folds)] if folds else [output]
    written = [folder / f"{name}.json" for folder in folders for name in ("train", "val")]
    there = [str(file) for file in written if file.exists()]
    if there and not overwrite:
        raise ConfigError(f"{', '.join(there[:3])} exist: give another --output, or --overwrite")
    for folder, val in zip(folders, parts):
        for name, keep in (("train", [i for i in images if i["id"] not in val]), ("val", [i for i in images if i["id"] in val])):
            _write(folder / f"{name}.json", content, keep)
    logger.info("%s", why)
    return written


def _distinct(images: Sequence[Dict[str, Any]], path: Path) -> List[Dict[str, Any]]:
    """The images, those that are listed twice only once."""
    kept: Dict[Any, Dict[str, Any]] = {}
    for image in images:
        kept.setdefault(image["id"], image)
    shared = {each["id"]: each for each in images if each.get("file_name") != kept[each["id"]].get("file_name")}
    if shared:
        names = [f"{key} ({kept[key].get('file_name')}, {each.get('file_name')})" for key, each in shared.items()]
        count = quantity(len(shared), "id is", "ids are")
        raise DataError(f"{path}: {count} given to several images: {', '.join(names[:NAMED])}, so nobody knows "
                        "whose their objects are; give each image an id of its own")  # fmt: skip
    if len(kept) < len(images):
        ids = [str(key) for key, count in Counter(image["id"] for image in images).items() if count > 1]
        logger.warning("%s lists %s more than once, which %s kept once: ids %s", path, quantity(len(ids), "image"),
                       "is" if len(ids) == 1 else "are", ", ".join(ids[:NAMED]))  # fmt: skip
    return list(kept.values())


def _warn_of_images_on_both_sides(images: Sequence[Mapping[str, Any]], parts: Sequence[set[Any]], path: Path) -> None:
    """An image that the file lists under several ids may be trained on and validated with."""
    ids: Dict[str, List[Any]] = {}
    for image in images:
        ids.setdefault(str(image.get("file_name")), []).append(image["id"])
    torn = [name for name, own in ids.items() if any(0 < sum(each in val for each in own) < len(own) for val in parts)]
    if torn:
        logger.warning("%s lists %s under several ids, which are now both in train and val: %s; give each image one id and split "
                       "again, otherwise the validation measures memory", path, quantity(len(torn), "image"),
                       ", ".join(f"{name} (ids {', '.join(map(str, ids[name][:NAMED]))})" for name in torn[:NAMED]))  # fmt: skip


def _parts(
    images: Sequence[Mapping[str, Any]], share: float, by: Optional[str], folds: int, seed: int
) -> Tuple[List[set[Any]], str]:
    """Ids for validation of each fold (or of the only split), and how they were chosen."""
    if by is None and not folds:
        split = split_images(images, share, seed)
        return [set(split.val)], split.why
    groups, kind = _groups(images, by, folds)
    wanted = folds or max(2, round(1 / share))
    if len(groups) < wanted:
        raise DataError(f"{len(groups)} {kind} cannot be divided into {wanted} parts without tearing one apart; give a "
        f"larger --val, "
                        "fewer --folds, or --by image")  # fmt: skip
    if not folds:
        dealt = [_share(groups, share, len(images), seed)]
    else:
        order = np.random.default_rng(seed).permutation(len(groups))
        dealt = _deal([len(groups[group]) for group in order], folds)
        dealt = [[int(order[place]) for place in part] for part in dealt]
    ids = [{images[row]["id"] for group in part for row in groups[group]} for part in dealt]
    return ids, f"{len(groups)} {kind} stay together"


def _groups(images: Sequence[Mapping[str, Any]], by: Optional[str], folds: int) -> Tuple[List[List[int]], str]:
    if by is None:
        groups, kind = image_groups(images)
        if len(groups) > 1:
            return groups, kind
        blocks = frame_blocks(images, BLOCKS_PER_FOLD * folds)
        return (blocks, "blocks of consecutive frames") if blocks else ([[row] for row in range(len(images))], "images")
    if by == IMAGE:
        return [[row] for row in range(len(images))], "images"
    values = [_folder_of(image) if by == FOLDER else image.get(by) for image in images]
    without = sum(value is None for value in values)
    if without:
        raise DataError(f"--by {by}: {without} of {len(images)} images have no {by!r}; their keys are {', '.join(images[0])}")
    rows: Dict[str, List[int]] = {}
    for row, value in enumerate(values):
        rows.setdefault(str(value), []).append(row)
    return list(rows.values()), f"values of {by}"


def _folder_of(image: Mapping[str, Any]) -> str:
    return str(image.get("file_name", "")).replace("\\", "/").rpartition("/")[0]


def _deal(sizes: Sequence[int], parts: int) -> List[List[int]]:
    """Groups dealt to parts of nearly equal numbers of images: the largest first, each to the emptiest part."""
    dealt: List[List[int]] = [[] for _ in range(parts)]
    filled = np.zeros(parts)
    for group in np.argsort(-np.asarray(sizes), kind="stable").tolist():
        part = int(filled.argmin())
        dealt[part].append(group)
        filled[part] += sizes[group]
    return dealt


def _share(groups: Sequence[Sequence[int]], share: float, total: int, seed: int) -> List[int]:
    """Groups in random order as long as they bring the number of images nearer to the wanted one; at least one, never all."""
    wanted, count = share * total, 0
    chosen: List[int] = []
    for group in np.random.default_rng(seed).permutation(len(groups)).tolist():
        size = len(groups[group])
        if len(chosen) < len(groups) - 1 and (abs(count + size - wanted) < abs(count - wanted) or not chosen):
            chosen.append(group)
            count += size
    return chosen


def _write(path: Path, content: Mapping[str, Any], images: Sequence[Mapping[str, Any]]) -> None:
    ids = {image["id"] for image in images}
    annotations = [each for each in content["annotations"] if isinstance(each, dict) and as_id(each.get("image_id")) in ids]
    with atomic_write(path) as stream:
        json.dump({**content, "images": list(images), "annotations": annotations}, stream)
    logger.info("%s with %s written to %s", quantity(len(images), "image"), quantity(len(annotations), "object"), path)
