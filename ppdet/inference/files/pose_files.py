"""Reads poses from JSON files and JSON Lines: our predictions, PaddleDetection's, and annotations.

Legend: N people of an image, K keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Optional, Union

import numpy as np

from ppdet.annotations.annotated_object import FARTHEST, is_labelled
from ppdet.annotations.coco_file import coco_content
from ppdet.annotations.values import as_id
from ppdet.core.errors import DataError
from ppdet.core.json_file import read_json
from ppdet.inference.formats.json_lines import read_json_lines
from ppdet.skeletons import Skeleton
from ppdet.skeletons.lookup import skeleton_from_categories

LINE_SUFFIXES = (".jsonl", ".ndjson")


@dataclass
class PosedImage:
    """The people of one image.

    Attributes:
        name: file name or path in the JSON, or None.
        image_id: id or None; at least one of name and id is given.
        keypoints: list of N (K, 3) x, y, score; the score of an annotation is 1 for labelled keypoints, otherwise 0.
        person_scores: N numbers; 1 for annotations.
        boxes: N boxes (4,) xyxy, or None for a person without box.
    """

    name: Optional[str]
    image_id: Union[int, str, None] = None
    keypoints: list[np.ndarray] = field(default_factory=list)
    person_scores: list[float] = field(default_factory=list)
    boxes: list[Optional[np.ndarray]] = field(default_factory=list)

    def add(self, keypoints: Any, score: Any, box: Any = None) -> None:
        """Append one person: flat or (K, 3) keypoints, a score, and xyxy or None.

        Raises:
            ValueError: the values have another shape, or are not finite.
        """
        rows = np.asarray(keypoints, np.float64).reshape(-1, 3)
        if not len(rows):
            raise ValueError("no keypoints")
        xyxy = None if box is None else np.asarray(box, np.float64).reshape(4)
        rows[rows[:, 2] <= 0, :2] = np.nan_to_num(rows[rows[:, 2] <= 0, :2])  # not found: x and y do not matter
        for name, values in (("keypoints", rows), ("score", np.asarray(score, np.float64)), ("box", xyxy)):
            if values is not None and not (np.abs(values) < FARTHEST).all():
                raise ValueError(f"{name} with numbers that are not finite, or no pixels")
        self.keypoints.append(rows)
        self.person_scores.append(float(score))
        self.boxes.append(xyxy)

    @property
    def title(self) -> str:
        """Name of the image in messages."""
        return self.name if self.name is not None else f"image {self.image_id}"


@dataclass
class PoseFile:
    """Content of a JSON file.

    Attributes:
        images: the images and their people.
        skeleton: skeleton of annotations.
        names: file names by image id, for annotations.
        kind: "predictions" or "annotations".
        turned: coordinates refer to the image after applying its EXIF orientation (as deployment and tools/infer.py write
            them), and not to the stored pixels (as in annotations and results of an evaluation).
    """

    images: list[PosedImage]
    skeleton: Optional[Skeleton] = None
    names: Mapping[Any, str] = field(default_factory=dict)
    kind: str = "predictions"
    turned: bool = False


def read_pose_file(path: Union[str, Path]) -> PoseFile:
    """Read a file of predictions or annotations.

    Known: JSON Lines (`.jsonl`), COCO results (`keypoints_results.json`, `keypoint.json`), the lists of the deploy programs (both
    layouts), COCO annotations, MPII annotations.

    Raises:
        DataError: the file is missing, invalid JSON, or has an unknown layout or an entry that does not fit it.
    """
    path = Path(path)
    is_lines = path.suffix.lower() in LINE_SUFFIXES
    content = list(read_json_lines(path)) if is_lines else read_json(path, "poses")
    if isinstance(content, dict) and isinstance(content.get("annotations"), list):
        return _coco_annotations(path, content)
    if not isinstance(content, list):
        raise DataError(f"{path}: expected a list of predictions, or a COCO file with `images` and `annotations`")
    if not content:
        raise DataError(f"{path} is an empty list: there is nothing to draw")
    first = content[0]
    for fits, reader in (
        (isinstance(first, list), _deploy_entry),
        (isinstance(first, dict) and "people" in first, _named_entry),
        (isinstance(first, dict) and "keypoints" in first, _result_entry),
        (isinstance(first, dict) and ("joints" in first or "gt_joints" in first), _mpii_entry),
    ):
        if fits:
            kind = "annotations" if reader is _mpii_entry else "predictions"
            # COCO results name the file only for predictions on users' images; those of an evaluation only have the id.
            turned = reader in (_deploy_entry, _named_entry) or (reader is _result_entry and "file_name" in first)
            return PoseFile(_grouped(path, content, reader), kind=kind, turned=turned)
    keys = ", ".join(str(key)[:40] for key in list(first)[:8]) if isinstance(first, dict) else type(first).__name__
    raise DataError(f"{path}: its entries ({keys}) hold no poses; known: COCO results and annotations, MPII, deploy's JSON")


def _grouped(path: Path, entries: list[Any], reader: Any) -> list[PosedImage]:
    images: dict[Any, PosedImage] = {}
    for position, entry in enumerate(entries):
        try:
            reader(entry, images)
        except _OfVideoError as error:
            raise DataError(f"{path}: entry [{position}] {error}") from error
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
            reason = f"{type(error).__name__}: {str(error)[:200]}"
            raise DataError(f"{path}: entry [{position}] does not fit the others ({reason})") from error
    return list(images.values())


def _image(images: dict[Any, PosedImage], name: Optional[str], image_id: Any = None) -> PosedImage:
    return images.setdefault(name if name is not None else ("id", image_id), PosedImage(name, image_id))


def _result_entry(entry: Any, images: dict[Any, PosedImage]) -> None:
    name = entry.get("file_name")
    image = _image(images, None if name is None else str(name), as_id(entry.get("image_id")))
    image.add(entry["keypoints"], entry["score"], _xyxy(entry.get("bbox")))


def _deploy_entry(entry: Any, images: dict[Any, PosedImage]) -> None:
    name, boxes, (people, _) = entry
    image = _image(images, *_name_of(name))
    for row, person in enumerate(people):
        rows = np.asarray(person, np.float64).reshape(-1, 3)
        image.add(rows, rows[:, 2].mean(), boxes[row] if row < len(boxes) else None)


def _named_entry(entry: Any, images: dict[Any, PosedImage]) -> None:
    image = _image(images, *_name_of(entry.get("image", entry.get("frame"))))
    for person in entry["people"]:
        image.add(list(person["keypoints"].values()), person["score"], person.get("box"))


class _OfVideoError(Exception):
    """An entry that no image belongs to."""


def _name_of(what: Any) -> tuple[Optional[str], Any]:
    if isinstance(what, str):
        return what, None
    raise _OfVideoError(f"is of frame {str(what)[:40]} of a video, not of an image: `ppdet pose VIDEO` draws a video")


def _mpii_entry(entry: Any, images: dict[Any, PosedImage]) -> None:
    xy = np.asarray(entry.get("gt_joints", entry.get("joints")), np.float64)[:, :2] - 1  # the file counts from 1
    labelled = np.asarray(entry["joints_vis"], np.float64) > 0
    _image(images, str(entry["image"])).add(np.column_stack([xy, labelled]), 1.0)


def _coco_annotations(path: Path, content: dict[str, Any]) -> PoseFile:
    content = coco_content(content, str(path))
    listed = content.get("images")
    names = {
        image["id"]: str(image["file_name"])
        for image in (listed if isinstance(listed, list) else ())
        if isinstance(image, dict) and as_id(image.get("id")) is not None and "file_name" in image
    }
    images: dict[Any, PosedImage] = {}
    for position, entry in enumerate(content["annotations"]):
        if not isinstance(entry, dict) or not entry.get("keypoints") or entry.get("iscrowd"):
            continue
        try:
            if isinstance(entry["keypoints"], str):
                raise ValueError(entry["keypoints"])  # the reason, see `coco_content`
            if not is_labelled(entry):
                continue
            rows = np.array(entry["keypoints"], np.float64).reshape(-1, 3)
            rows[:, 2] = rows[:, 2] > 0
            image_id = as_id(entry.get("image_id"))
            _image(images, names.get(image_id), image_id).add(rows, 1.0, _xyxy(entry.get("bbox")))
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise DataError(
                f"{path}: annotation {str(entry.get('id', position))[:40]} holds no keypoints x, y, v ({str(error)[:200]})"
            ) from error
    category = next((each for each in content["categories"] if each["keypoints"]), None)
    return PoseFile(list(images.values()), None if category is None else skeleton_from_categories(category), names, "annotations")


def _xyxy(box: Any) -> Optional[list[float]]:
    return None if box is None else [box[0], box[1], box[0] + box[2], box[1] + box[3]]
