"""COCO-style files: as they are, with the images found and what they leave out filled in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Tuple

from ppdet.annotations.annotated_object import is_labelled
from ppdet.annotations.coco_file import read_coco
from ppdet.annotations.merging import same_names
from ppdet.core.errors import DataError
from ppdet.data.formats.image_index import ImageIndex

NAMED = 5


def read(path: Path, images: ImageIndex) -> Tuple[Dict[str, Any], List[str]]:
    """The content with `file_name` of each image relative to the folder of the images, and notes for the user.

    A class without names of its keypoints gets kp0, kp1, ... if its objects have keypoints.

    Raises:
        DataError: no image is there, or no object has keypoints.
    """
    content = read_coco(path)
    notes: List[str] = []
    kept, missing, resized = [], [], []
    for image in content["images"]:
        if not isinstance(image, dict) or "id" not in image:
            continue
        name = str(image.get("file_name") or image.get("coco_url") or image.get("path") or "")
        found = images.find(name)
        if found is None or images.header(found) is None:
            missing.append(name)
            continue
        other = images.other_size(found, (image.get("width"), image.get("height")))
        if other is not None:
            resized.append(f"{found}: {other}")
            continue
        kept.append({**image, "file_name": found, **_size(image, images, found)})
    if missing:
        notes.append(f"{len(missing)} images are not in {images.root}, or cannot be read, and are left out: "
                     f"{', '.join(missing[:NAMED])}")  # fmt: skip
    if resized:
        notes.append(f"{len(resized)} images have another size than the one that was labelled and are left out "
                     f"({', '.join(resized[:NAMED])}); `ppdet dataset check --fix` scales the labels of images that "
                     "were only scaled")  # fmt: skip
    if not kept and resized:
        raise DataError(f"{path}: {notes[-1]}. No image is left; give the images that were labelled, or scale the labels")
    if not kept:
        raise DataError(f"{path}: none of its {len(missing)} images ({', '.join(missing[:NAMED])}) is in {images.root}; "
                        "give their folder as --images")  # fmt: skip
    ids = {image["id"]: image for image in kept}
    repeated = list(dict.fromkeys(str(each["id"]) for each in kept if each["file_name"] != ids[each["id"]]["file_name"]))
    if repeated:
        raise DataError(f"{path}: {len(repeated)} image ids are given to several images ({', '.join(repeated[:NAMED])}), so "
                        "nobody knows whose their objects are; give each image an id of its own")  # fmt: skip
    kept = list(ids.values())
    listed = {image.get("id") for image in content["images"] if isinstance(image, dict)}
    objects = [each for each in content["annotations"] if isinstance(each, dict) and each.get("image_id") in ids]
    strays = sum(isinstance(each, dict) and each.get("image_id") not in listed for each in content["annotations"])
    if strays:
        notes.append(f"{strays} objects belong to no listed image and are left out")
    categories = [_with_names(category, objects, notes) for category in content["categories"]]
    if not categories and any(map(is_labelled, objects)):
        categories = [_with_names({"id": 1, "name": "object", "keypoints": [], "skeleton": []}, objects, notes)]
        objects = [{**each, "category_id": 1} for each in objects]
    notes += [f"{text}: whatever goes by names takes them as one; rename them" for text in same_names(categories)]
    if not any(category["keypoints"] for category in categories):
        raise DataError(f"{path}: no object in it has `keypoints`, only boxes or masks; label points, too")
    return {**content, "images": kept, "annotations": objects, "categories": categories}, notes


def _size(image: Dict[str, Any], images: ImageIndex, found: str) -> Dict[str, int]:
    if image.get("width") and image.get("height"):
        return {}
    width, height = images.size(found) or (0, 0)
    return {"width": width, "height": height}


def _with_names(category: Dict[str, Any], objects: List[Dict[str, Any]], notes: List[str]) -> Dict[str, Any]:
    """The category with as many names as most of its objects have keypoints."""
    given = [each["keypoints"] for each in objects if _is_of(each, category) and isinstance(each.get("keypoints"), list)]
    lengths = Counter(len(flat) // 3 for flat in given if flat and len(flat) % 3 == 0)
    if not lengths:
        return category
    count, names = lengths.most_common(1)[0][0], category["keypoints"]
    if len(names) == count:
        return category
    if names:
        notes.append(f"category {category['name']!r} names {len(names)} keypoints, its objects have {count}: kp0, kp1, ...")
    else:
        notes.append(f"category {category['name']!r} does not name its {count} keypoints: they are called kp0 ... kp{count - 1}")
    return {**category, "keypoints": [f"kp{i}" for i in range(count)], "skeleton": category.get("skeleton") or []}


def _is_of(each: Dict[str, Any], category: Dict[str, Any]) -> bool:
    return each.get("category_id", category["id"]) == category["id"]
