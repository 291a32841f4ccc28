"""Reads COCO-style annotation files into one form, which datasets, metrics and drawing trust.

What tools write in other ways is read as what it means; what has no meaning stays as it is and is refused, entry by entry, by
`annotated_object.unusable` and the tables of `ppdet.data.coco`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Container, Dict, List, Mapping, Optional, Sequence, Set, Union

from ppdet.annotations.keypoint_lists import flat_keypoints
from ppdet.annotations.values import Id, IdIndex, are_numbers, as_flag, as_id, as_number, kinds_of
from ppdet.core.errors import DataError
from ppdet.core.json_file import read_json

NAMED_IDS = 3
LARGEST_SIDE = 2**31
_INTEGERS = {int}


def read_coco(path: Union[str, Path]) -> Dict[str, Any]:
    """The content of a COCO-style JSON file, see `coco_content` for its form.

    Raises:
        DataError: no such file, broken JSON, not a mapping with the lists `images` and `annotations`, or ids of annotations that
            can mean none of the images.
    """
    content = read_json(path, "annotation file", "check dataset_dir and anno_path")
    if not isinstance(content, dict):
        raise DataError(
            f"{path}: expected a mapping with `images` and `annotations`, found a {type(content).__name__}; "
            "is this a result file (detections)? Then give it as bbox_file"
        )
    for key in ("images", "annotations"):
        if not isinstance(content.get(key), list):
            raise DataError(
                f"{path}: no list `{key}` in it (it has: {', '.join(str(name)[:40] for name in content) or 'nothing'}); "
                "expected COCO's layout, see docs/data.md"
            )
    return coco_content(content, str(path))


def coco_content(content: Dict[str, Any], source: str) -> Dict[str, Any]:
    """Bring a parsed COCO file into one form. In place.

    - `categories` is a list of {"id", "name", "keypoints": list of names, "skeleton": pairs counted from 1, ...}. A file that
      declares none gets those that its annotations name, without keypoints.
    - Ids are strings or integers, and `image_id` and `category_id` of an annotation are exactly the id that is declared, however
      the file writes them ("17", 17.0). A category may also be given by its name.
    - `width`, `height`, `area`, `bbox` and `keypoints` are numbers, keypoints a flat list, `iscrowd` 0 or 1.
    - `area` and `bbox` that say nothing (null, NaN, a box of zeros) are absent.

    Values that cannot be read so are left alone; for `keypoints` the reason stands in their place, as a string.

    Args:
        content: a mapping; its lists may be absent.
        source: file name for messages.

    Raises:
        DataError: the annotations name no image of the file, because their ids are of another kind.
    """
    images = [image for image in _list(content.get("images")) if isinstance(image, dict)]
    annotations = [entry for entry in _list(content.get("annotations")) if isinstance(entry, dict)]
    for image in images:
        _read_image_entry(image)
    content["categories"] = _categories(content.get("categories"), annotations)
    image_ids = IdIndex(image["id"] for image in images if as_id(image.get("id")) is not None)
    categories = _CategoryIndex(content["categories"])
    known = 0
    for entry in annotations:
        if _is_standard(entry, image_ids.declared, categories.declared):
            known += 1
            continue
        found = image_ids.find(entry.get("image_id"))
        if found is not None:
            entry["image_id"] = found
            known += 1
        _read_annotation(entry, categories)
    if annotations and images and not known:
        _refuse_other_kind(images, annotations, source)
    return content


def select_categories(content: Mapping[str, Any], category: Any, source: str) -> Optional[Set[Any]]:
    """Ids of the categories whose keypoints are wanted.

    Args:
        content: as `read_coco` returns it.
        category: None for every category that declares keypoints, or an id, a name, or a list of these.
        source: file name for messages.

    Returns:
        Set of ids, or None if no category declares keypoints and none was asked for: then all annotations count.

    Raises:
        DataError: a wanted category is not in the file.
    """
    if category is None:
        return {c["id"] for c in content["categories"] if c.get("keypoints")} or None
    declared = content["categories"]
    index = IdIndex(c["id"] for c in declared)
    ids: Set[Any] = set()
    for item in category if isinstance(category, (list, tuple)) else [category]:
        named = {c["id"] for c in declared if c["name"] == item}
        found = index.find(item)
        if not named and found is None:
            listing = ", ".join(f"{c['id']} ({c['name']})" for c in declared)
            raise DataError(f"{source}: no category {item!r}; it has: {listing or 'none'}")
        ids |= named or {found}
    return ids


class _CategoryIndex:
    """Declared categories by id, else by name, and their keypoints' names."""

    def __init__(self, categories: Sequence[Mapping[str, Any]]) -> None:
        self._by_id = IdIndex(category["id"] for category in categories)
        self.declared = self._by_id.declared
        self._by_name = {category["name"]: category["id"] for category in categories}
        self._names = {category["id"]: category.get("keypoints") or [] for category in categories}
        named = [names for names in self._names.values() if names]
        self._only = named[0] if len(named) == 1 else []

    def find(self, value: Any) -> Optional[Id]:
        """The declared id that an annotation's `category_id` means, or None."""
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        found = self._by_id.find(value)
        return self._by_name.get(value) if found is None and isinstance(value, str) else found

    def names_of(self, category: Any) -> Sequence[str]:
        """Names of the keypoints of a category; of the only one that has some, if none is given."""
        return self._only if category is None else self._names.get(category, []) if isinstance(category, (int, str)) else []


def _list(value: Any) -> List[Any]:
    return value if isinstance(value, list) else []


def _read_image_entry(image: Dict[str, Any]) -> None:
    identity = as_id(image.get("id"))
    if identity is not None:
        image["id"] = identity
    for key in ("width", "height"):
        if key in image:
            size = as_number(image[key])
            image[key] = int(size) if size is not None and 0 < size < LARGEST_SIDE else 0


def _categories(given: Any, annotations: Sequence[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    if isinstance(given, dict):  # {"1": "person"}, or {"1": {"name": "person", ...}}
        given = [{"id": key, **(value if isinstance(value, dict) else {"name": value})} for key, value in given.items()]
    declared: Dict[Id, Dict[str, Any]] = {}
    for category in _list(given):
        if not isinstance(category, dict):
            continue
        identity = as_id(category.get("id"))
        if identity is not None and identity not in declared:
            names = category.get("keypoints")
            keypoints = [str(name) for name in names] if isinstance(names, list) else []
            name = category.get("name")
            name = str(identity if name is None else name)
            links = _links(category.get("skeleton"), len(keypoints))
            declared[identity] = {**category, "id": identity, "keypoints": keypoints, "name": name, "skeleton": links}
    if not declared:
        for entry in annotations:
            identity = as_id(entry.get("category_id"))
            if identity is not None and identity not in declared:
                declared[identity] = {"id": identity, "name": str(identity), "keypoints": []}
    return list(declared.values())


def _links(given: Any, num_keypoints: int) -> List[List[int]]:
    """Pairs of keypoints counted from 1; those that are no pairs are dropped. Links that count from 0 have a 0 among them."""
    pairs = [[as_id(end) for end in pair] for pair in _list(given) if isinstance(pair, list) and len(pair) == 2]
    links = [[end for end in pair if isinstance(end, int) and 0 <= end <= num_keypoints] for pair in pairs]
    first = 0 if any(0 in pair for pair in links) else 1
    counted = [[end + 1 - first for end in pair] for pair in links if len(pair) == 2]
    return [pair for pair in counted if max(pair) <= num_keypoints]


def _is_standard(entry: Dict[str, Any], images: Container[Id], categories: Container[Id]) -> bool:
    """Whether an annotation is written as COCO writes it, which nearly all are: quick, and no is always a right answer."""
    try:
        image, category, crowd, area = entry["image_id"], entry["category_id"], entry["iscrowd"], entry["area"]
        box, keypoints = entry["bbox"], entry["keypoints"]
        return (
            {type(image), type(category), type(crowd)} == _INTEGERS
            and image in images
            and category in categories
            and 0 <= crowd <= 1
            and type(box) is type(keypoints) is list
            and len(box) == 4
            and are_numbers([area, *box, *keypoints])
            and any(box)
        )
    except KeyError:
        return False


def _read_annotation(entry: Dict[str, Any], categories: _CategoryIndex) -> None:
    category = entry.get("category_id")
    if category is not None:
        found = categories.find(category)
        if found is not None:
            entry["category_id"] = category = found
        elif category != category:  # NaN
            entry["category_id"] = category = None
    if entry.get("iscrowd") != 0 or type(entry["iscrowd"]) is not int:
        flag = as_flag(entry.get("iscrowd"))
        if flag is not None:
            entry["iscrowd"] = flag
    area = entry.get("area")
    if area is None or area != area:
        entry.pop("area", None)
    elif type(area) is str:
        number = as_number(area)
        entry["area"] = area if number is None else number
    if "bbox" in entry:
        _read_box(entry)
    keypoints = entry.get("keypoints")
    if keypoints is not None:
        entry["keypoints"] = flat_keypoints(keypoints, categories.names_of(category))


def _read_box(entry: Dict[str, Any]) -> None:
    box = entry["bbox"]
    if isinstance(box, list) and len(box) == 4:
        if not are_numbers(box):
            numbers = [as_number(value) for value in box]
            if None in numbers:
                return
            entry["bbox"] = box = numbers
        if any(box):
            return
    elif box is not None and box != [] and box == box:
        return
    del entry["bbox"]  # absent, or a placeholder of zeros


def _refuse_other_kind(images: Sequence[Mapping[str, Any]], annotations: Sequence[Mapping[str, Any]], source: str) -> None:
    listed = [image.get("id") for image in images]
    named = [entry.get("image_id") for entry in annotations]
    kinds, other = kinds_of(listed), kinds_of(named)
    if {type(as_id(value)) for value in listed} != {type(as_id(value)) for value in named}:
        raise DataError(
            f"{source}: no annotation belongs to an image of it: ids of the images are {kinds}, `image_id` of the annotations "
            f"are {other}; write the same ids in both"
        )
