"""Merges annotation files of the same keypoints: images by file name, ids numbered anew."""

from __future__ import annotations

import posixpath
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from ppdet.annotations.values import as_id
from ppdet.core.errors import DataError

Content = Dict[str, Any]


def merge_contents(parts: Sequence[Tuple[str, Content]], prefixes: Sequence[str] = ()) -> Tuple[Content, List[str]]:
    """One content of several in the form of `coco_content`.

    An image that occurs in several files (same `file_name` after the prefix) is kept once, with the objects of all files.
    Categories are merged by name and must have the same keypoints, in any order: points are reordered by name.

    Args:
        parts: (name of the file, content).
        prefixes: folder to put before the file names of each part; () for none.

    Returns:
        The content, and notes for the user.

    Raises:
        DataError: categories of one name have different keypoints, one image has two sizes, or two images of a file have one id.
    """
    images: Dict[str, Dict[str, Any]] = {}
    categories: Dict[str, Dict[str, Any]] = {}
    annotations: List[Dict[str, Any]] = []
    notes: List[str] = []
    shared = dropped = 0
    for number, (source, content) in enumerate(parts):
        prefix = prefixes[number] if prefixes else ""
        image_ids: Dict[Any, int] = {}
        orders = {}
        for image in content["images"]:
            if not isinstance(image, dict) or as_id(image.get("id")) is None or not isinstance(image.get("file_name"), str):
                continue
            name = posixpath.join(prefix, image["file_name"])
            shared += name in images
            known = images.setdefault(name, {**image, "id": len(images) + 1, "file_name": name})
            _check_size(known, image, name, source)
            if image_ids.setdefault(image["id"], known["id"]) != known["id"]:
                raise DataError(f"{source}: the id {image['id']} is given to several images, {name} among them, so nobody knows "
                                "whose their objects are; give each image an id of its own")  # fmt: skip
        notes += [f"{source}: {text}, so their objects become one category" for text in same_names(content["categories"])]
        for category in content["categories"]:
            known = categories.setdefault(category["name"], {**category, "id": len(categories) + 1})
            orders[category["id"]] = (known["id"], _order(known, category, source))
        for entry in content["annotations"]:
            if not isinstance(entry, dict) or as_id(entry.get("image_id")) not in image_ids:
                dropped += 1
                continue
            identity, order = orders.get(as_id(entry.get("category_id")), (None, []))
            merged = {**entry, "id": len(annotations) + 1, "image_id": image_ids[entry["image_id"]]}
            if identity is not None:
                merged["category_id"] = identity
            merged["keypoints"] = _reordered(entry.get("keypoints"), order)
            if merged["keypoints"] is None:
                del merged["keypoints"]
            annotations.append(merged)
    if shared:
        notes.append(f"{shared} images occur in several files and are kept once, with the objects of all; look for objects that "
                     "were labelled twice: ppdet dataset check")  # fmt: skip
    if dropped:
        notes.append(f"{dropped} annotations belong to no listed image and are left out")
    return {"images": list(images.values()), "annotations": annotations, "categories": list(categories.values())}, notes


def same_names(categories: Sequence[Mapping[str, Any]]) -> List[str]:
    """A sentence for each name that several categories have, with their ids."""
    ids: Dict[str, List[str]] = {}
    for category in categories:
        ids.setdefault(category["name"], []).append(str(category["id"]))
    return [f"the categories {', '.join(own)} are all called {name!r}" for name, own in ids.items() if len(own) > 1]


def _check_size(known: Mapping[str, Any], image: Mapping[str, Any], name: str, source: str) -> None:
    sizes = [(each.get("width"), each.get("height")) for each in (known, image)]
    if all(all(size) for size in sizes) and sizes[0] != sizes[1]:
        raise DataError(
            f"{source}: image {name} is {sizes[1][0]} x {sizes[1][1]} pixels, in an earlier file {sizes[0][0]} x "
            f"{sizes[0][1]}; if "
            "they are different images, tell them apart with --prefix"
        )


def _order(known: Mapping[str, Any], category: Mapping[str, Any], source: str) -> List[int]:
    """For each keypoint of the merged category its place in this file's."""
    wanted, given = list(known.get("keypoints") or []), list(category.get("keypoints") or [])
    if sorted(wanted) != sorted(given):
        lacking = sorted(set(wanted) ^ set(given))
        raise DataError(
            f"{source}: category {category['name']!r} (id {category['id']}) has other keypoints than the first one of that name "
            f"(not in both: {', '.join(lacking)[:200]}); rename keypoints or the category"
        )
    return [given.index(name) for name in wanted]


def _reordered(keypoints: Any, order: Sequence[int]) -> Any:
    if not isinstance(keypoints, list) or len(keypoints) != 3 * len(order):
        return keypoints
    return [value for place in order for value in keypoints[3 * place : 3 * place + 3]]
