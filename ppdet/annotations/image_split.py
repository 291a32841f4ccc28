"""Splits annotated images for training and validation, so that the frames of one video stay together.

Neighbouring frames look alike: a validation frame whose neighbour was trained on measures memory.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from ppdet.core.errors import DataError

GROUP_KEYS = ("group", "video", "video_id", "clip", "clip_id", "sequence", "seq_id", "subject", "patient", "patient_id")
"""Keys of an image entry that say which images belong together."""
GIVEN_VAL = ("val", "valid", "validation", "val2017")
GIVEN_TRAIN = ("train", "training", "train2017")
DENSE_STEP = 5
"""Frames of one video whose numbers are at most so far apart (median) are neighbours, which must not be torn apart."""
MOST_BLOCKS = 4
WORST_SHARE = 1.8
"""Whole groups are taken for validation if their share comes out within this factor of the wanted one."""


@dataclass(frozen=True)
class ImageSplit:
    """Which images are for training and which for validation, by id.

    Attributes:
        train, val: ids; together all images, except those of a folder `test`.
        why: how they were chosen, in one sentence.
        groups: number of groups that were found; 1 if images could not be told apart.
    """

    train: FrozenSet[Any]
    val: FrozenSet[Any]
    why: str
    groups: int = 1


def split_images(images: Sequence[Mapping[str, Any]], share: float = 0.2, seed: int = 42) -> ImageSplit:
    """Split images by group.

    Groups are, whichever is there first: folders called train and val; the images' own `video` or another of `GROUP_KEYS`;
    folders; the part of file names before their last number. Frames of one single video are cut into blocks of consecutive
    frames, and other images are drawn at random.

    Args:
        images: entries of a COCO file, each with `id` and `file_name`.
        share: wanted fraction for validation.
        seed: of the choice.

    Raises:
        DataError: fewer than two images, or a share outside 0 to 1.
    """
    if not 0 < share < 1:
        raise DataError(f"the share of validation images is {share}: expected a number between 0 and 1")
    if len(images) < 2:
        raise DataError(f"{len(images)} annotated image cannot be split: training needs one and validation another. Label more; "
                        "images that were not found do not count: are they in the folder that you gave?")
    given = _given_split(images)
    if given is not None:
        return given
    groups, kind = image_groups(images)
    count = max(1, min(len(images) - 1, round(share * len(images))))
    rng = np.random.default_rng(seed)
    if len(groups) > 2:
        chosen = _whole_groups([len(rows) for rows in groups], count, rng)
        rows = {row for group in chosen for row in groups[group]}
        if len(rows) <= WORST_SHARE * count and len(rows) < len(images):
            why = f"whole groups stay together: {len(chosen)} of {len(groups)} {kind} are for validation"
            return _split(images, rows, why, len(groups))
    picked, why = set(), "drawn at random: nothing in the file says that images belong together"
    for group in groups:
        part = max(1, round(count * len(group) / len(images))) if len(group) > 1 else 0
        rows_of_group, blocks = _within(images, group, part, rng)
        picked |= rows_of_group
        if blocks:
            why = f"frames follow each other, so blocks of consecutive ones are for validation, {blocks} of each video"
    if len(groups) > 1:
        why += f"; {len(groups)} {kind} are too few, or too unlike in size, to put whole ones aside"
    return _split(images, picked or {int(rng.integers(len(images)))}, why, len(groups))


def image_groups(images: Sequence[Mapping[str, Any]]) -> Tuple[List[List[int]], str]:
    """Rows of the images of each group, and what the groups are ("videos", "folders", ...). One group if nothing tells.

    Args:
        images: entries of a COCO file.
    """
    for key in GROUP_KEYS:
        values = [image.get(key) for image in images]
        if sum(value is not None for value in values) >= 0.9 * len(values) and len(set(map(str, values))) > 1:
            return _rows_by(list(map(str, values))), f"values of `{key}`"
    names = [str(image.get("file_name", "")).replace("\\", "/") for image in images]
    folders = [name.rpartition("/")[0] for name in names]
    if len(set(folders)) > 1 and len(images) >= 2 * len(set(folders)):
        return _rows_by(folders), "folders"
    stems = [_stem_and_number(name)[0] for name in names]
    if 1 < len(set(stems)) <= len(images) / 3:
        return _rows_by(stems), "beginnings of file names"
    return [list(range(len(images)))], "images"


def _rows_by(values: Sequence[str]) -> List[List[int]]:
    rows: Dict[str, List[int]] = defaultdict(list)
    for row, value in enumerate(values):
        rows[value].append(row)
    return [rows[value] for value in sorted(rows)]


def _stem_and_number(name: str) -> Tuple[str, Optional[int]]:
    """The name up to its last number, and that number."""
    stem = name.rpartition(".")[0] or name
    found = re.match(r"(.*?)(\d+)\D*$", stem, re.DOTALL)
    return (found.group(1), int(found.group(2))) if found else (stem, None)


def _given_split(images: Sequence[Mapping[str, Any]]) -> Optional[ImageSplit]:
    parts = [{part.lower() for part in str(image.get("file_name", "")).replace("\\", "/").split("/")[:-1]} for image in images]
    val = {row for row, words in enumerate(parts) if words & set(GIVEN_VAL)}
    train = {row for row, words in enumerate(parts) if words & set(GIVEN_TRAIN)}
    if not val or not train or val & train:
        return None
    names = Counter("val" if row in val else "train" if row in train else "neither" for row in range(len(images)))
    ids = [image["id"] for image in images]
    rest = f"; {names['neither']} in neither are left out" if names["neither"] else ""
    return ImageSplit(frozenset(ids[row] for row in train), frozenset(ids[row] for row in val),
                      f"the images lie in folders train and val already{rest}", 2)  # fmt: skip


def _whole_groups(sizes: Sequence[int], wanted: int, rng: np.random.Generator) -> List[int]:
    """Groups whose sizes together come close to `wanted`: at random, and as many as are needed."""
    best: List[int] = []
    for _ in range(20):
        chosen, total = [], 0
        for group in rng.permutation(len(sizes)).tolist():
            if total and abs(total + sizes[group] - wanted) >= abs(total - wanted):
                continue
            chosen.append(group)
            total += sizes[group]
            if total >= wanted:
                break
        if len(chosen) < len(sizes) and (not best or abs(total - wanted) < abs(sum(sizes[g] for g in best) - wanted)):
            best = chosen
    return best


def _within(
    images: Sequence[Mapping[str, Any]], rows: Sequence[int], count: int, rng: np.random.Generator
) -> Tuple[set[int], int]:
    """`count` of the rows, and in how many blocks of consecutive frames (0: at random)."""
    if count == 0:
        return set(), 0
    numbers = [_stem_and_number(str(images[row].get("file_name", "")))[1] for row in rows]
    known = [number for number in numbers if number is not None]
    if len(rows) < 10 or len(known) < len(rows) or not _dense(known):
        return set(rng.choice(np.asarray(rows), count, replace=False).tolist()), 0
    ordered = [rows[i] for i in np.argsort(known, kind="stable")]
    blocks = max(1, min(MOST_BLOCKS, count // 3))
    length, free = count // blocks, (len(ordered) - count) // blocks
    chosen: set[int] = set()
    for block in range(blocks):
        start = block * (length + free) + int(rng.integers(free + 1))
        chosen |= set(ordered[start : start + length])
    return chosen, blocks


def frame_blocks(images: Sequence[Mapping[str, Any]], count: int) -> Optional[List[List[int]]]:
    """Rows of consecutive frames of a video as blocks of equal length, None if the images are not numbered densely.

    Args:
        images: entries of a COCO file.
        count: of blocks.
    """
    numbers = [_stem_and_number(str(image.get("file_name", "")))[1] for image in images]
    known = [number for number in numbers if number is not None]
    if len(known) < len(images) or len(images) < max(2 * count, 10) or not _dense(known):
        return None
    return [block.tolist() for block in np.array_split(np.argsort(known, kind="stable"), count)]


def _dense(numbers: Sequence[int]) -> bool:
    steps = np.diff(np.sort(np.asarray(numbers, np.float64)))
    return bool(np.median(steps) <= DENSE_STEP)


def _split(images: Sequence[Mapping[str, Any]], val_rows: set[int], why: str, groups: int) -> ImageSplit:
    val = frozenset(images[row]["id"] for row in val_rows)
    train = frozenset(image["id"] for image in images) - val
    return ImageSplit(train, val, why, groups)
