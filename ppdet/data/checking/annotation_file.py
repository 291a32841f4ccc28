"""An annotation file as the checks see it: raw entries, and arrays of what can be read.

Legend: N objects with K keypoints, M images.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np

from ppdet.annotations.coco_file import coco_content
from ppdet.annotations.values import are_numbers, as_id
from ppdet.core.errors import DataError
from ppdet.core.json_file import read_json
from ppdet.skeletons import Skeleton
from ppdet.skeletons.lookup import skeleton_from_categories

GUESSES = ("images", "../images", ".", "..", "../{stem}", "../../images")


@dataclass
class AnnotationFile:
    """One file.

    Attributes:
        path: of the file.
        raw: content as parsed.
        content: the same in the form of `coco_content`.
        images: folder of the images, None if it is not known.
        skeleton: of the category with most objects; None if no category declares keypoints.
    """

    path: Path
    raw: Dict[str, Any]
    content: Dict[str, Any]
    images: Optional[Path]
    skeleton: Optional[Skeleton]

    @cached_property
    def image_by_id(self) -> Dict[Any, Mapping[str, Any]]:
        """The entries of images by id."""
        images = [each for each in self.content["images"] if isinstance(each, dict)]
        return {each["id"]: each for each in images if as_id(each.get("id")) is not None}

    def image_of(self, entry: Any) -> Optional[Mapping[str, Any]]:
        """The listed image that an annotation belongs to, or None."""
        identity = as_id(entry.get("image_id")) if isinstance(entry, Mapping) else None
        return None if identity is None else self.image_by_id.get(identity)

    @cached_property
    def objects(self) -> List[Tuple[int, Dict[str, Any]]]:
        """(position, entry) of annotations that are not crowds."""
        return [
            (position, entry)
            for position, entry in enumerate(self.content["annotations"])
            if isinstance(entry, dict) and entry.get("iscrowd") in (0, None)
        ]

    @cached_property
    def table(self) -> PoseTable:
        """Arrays of the objects whose keypoints and image can be read."""
        return pose_table(self)

    def name(self, position: int) -> str:
        """An annotation for messages."""
        entry = self.content["annotations"][position]
        identity = as_id(entry.get("id")) if isinstance(entry, Mapping) else None
        return f"annotation {identity}" if identity is not None else f"annotations[{position}]"


@dataclass(frozen=True)
class PoseTable:
    """Readable objects.

    Attributes:
        position: (N,) place in the list of annotations.
        keypoints: (N, K, 3) as written.
        labelled: (N, K) v > 0.
        box_xywh: (N, 4), NaN where absent.
        area: (N,), NaN where absent.
        image_wh: (N, 2), 0 where unknown.
        image: (N,) number of the image in the list of images.
    """

    position: np.ndarray
    keypoints: np.ndarray
    labelled: np.ndarray
    box_xywh: np.ndarray
    area: np.ndarray
    image_wh: np.ndarray
    image: np.ndarray

    def __len__(self) -> int:
        return len(self.position)

    @property
    def side(self) -> np.ndarray:
        """(N,) longer side of the box, NaN where it has none or no extent."""
        longer = self.box_xywh[:, 2:].max(axis=1, initial=-np.inf) if len(self) else np.zeros(0)
        return np.where((self.box_xywh[:, 2:] > 0).all(axis=1), longer, np.nan)


def read_annotation_file(path: Path, images: Optional[Path] = None) -> AnnotationFile:
    """Read a COCO-style file for checking.

    Args:
        path: the file.
        images: folder of the images; None looks beside the file.

    Raises:
        DataError: the file is missing, not JSON, or not COCO-style; or there is no such folder.
    """
    if images is not None and not images.is_dir():
        raise DataError(f"--images {images} is not a folder; give the folder that holds the annotated images")
    raw = read_json(path, "annotation file", "check the path")
    if not isinstance(raw, dict) or not isinstance(raw.get("images"), list) or not isinstance(raw.get("annotations"), list):
        raise DataError(f"{path} is not a COCO-style file with the lists `images` and `annotations`; files of other tools are "
                        f"converted by: ppdet dataset convert {path} --images DIR --to coco -o FILE.json")  # fmt: skip
    content = coco_content(copy.deepcopy(raw), str(path))
    return AnnotationFile(path, raw, content, images or find_images(path, content), _skeleton(content))


def find_images(path: Path, content: Mapping[str, Any]) -> Optional[Path]:
    """The folder near an annotation file in which most of its images are; None if none of them is found."""
    names = [each["file_name"] for each in content["images"] if isinstance(each, dict) and isinstance(each.get("file_name"), str)]
    best: Tuple[int, Optional[Path]] = (0, None)
    for guess in GUESSES:
        folder = path.parent / guess.format(stem=path.stem)
        found = sum((folder / name).is_file() for name in names[:50])
        if found > best[0]:
            best = (found, folder)
    return best[1]


def pose_table(file: AnnotationFile) -> PoseTable:
    """Arrays of the objects with as many keypoints as the skeleton, or as most objects."""
    count = _keypoint_count(file)
    order = {identity: number for number, identity in enumerate(file.image_by_id)}
    rows: List[Tuple[Any, ...]] = []
    for position, entry in file.objects:
        keypoints, image = entry.get("keypoints"), file.image_of(entry)
        if image is None or not isinstance(keypoints, list) or len(keypoints) != 3 * count or not are_numbers(keypoints):
            continue
        box, area = entry.get("bbox"), entry.get("area")
        rows.append((
            position, keypoints,
            box if isinstance(box, list) and len(box) == 4 and are_numbers(box) else [np.nan] * 4,
            area if isinstance(area, (int, float)) and not isinstance(area, bool) else np.nan,
            [image.get("width") or 0, image.get("height") or 0], order[image["id"]],
        ))  # fmt: skip
    columns = list(zip(*rows)) if rows else [()] * 6
    keypoints = np.array(columns[1], np.float64).reshape(len(rows), count, 3)
    return PoseTable(
        np.array(columns[0], np.int64), keypoints, keypoints[..., 2] > 0, np.array(columns[2], np.float64).reshape(-1, 4),
        np.array(columns[3], np.float64), np.array(columns[4], np.float64).reshape(-1, 2), np.array(columns[5], np.int64),
    )  # fmt: skip


def _keypoint_count(file: AnnotationFile) -> int:
    if file.skeleton is not None:
        return file.skeleton.num_keypoints
    lengths = [len(entry["keypoints"]) // 3 for _, entry in file.objects if isinstance(entry.get("keypoints"), list)]
    return max(set(lengths), key=lengths.count) if lengths else 0


def _skeleton(content: Mapping[str, Any]) -> Optional[Skeleton]:
    declared = [each for each in content["categories"] if each.get("keypoints")]
    if not declared:
        return None
    used = [as_id(entry.get("category_id")) for entry in content["annotations"] if isinstance(entry, dict)]
    chosen = max(declared, key=lambda each: used.count(each["id"]))
    if len(set(chosen["keypoints"])) != len(chosen["keypoints"]):
        return None  # reported as duplicate names
    return skeleton_from_categories(chosen)
