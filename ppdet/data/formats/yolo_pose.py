"""YOLO-pose (Ultralytics): a text file per image, numbers as fractions of the image; `data.yaml` says how many keypoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ppdet.annotations.values import visibility
from ppdet.core.config.yaml_loader import load_plain_yaml
from ppdet.core.errors import DataError
from ppdet.data.formats.annotation_set import AnnotationSet, Point

SPLITS = ("train", "val", "test")
MOST_KEYPOINTS = 1000
BOX_COLUMNS = 5  # class, centre, width, height
FILES_SEEN = 20  # label files that advice on `kpt_shape` rests on


def is_yolo_yaml(content: Any) -> bool:
    """Whether a YAML file is the description of a YOLO dataset; without `kpt_shape`, `read` says what to add."""
    if not isinstance(content, Mapping):
        return False
    return "kpt_shape" in content or ("names" in content and any(split in content for split in SPLITS))


def read(path: Path, into: AnnotationSet) -> None:
    """Add the objects of all label files of a dataset.

    Args:
        path: its `data.yaml`, or the folder that holds it.
        into: takes the objects.

    Raises:
        DataError: no `kpt_shape`, no label files, or a row with another number of columns.
    """
    file = path if path.is_file() else _description(path)
    content = load_plain_yaml(file)
    if not isinstance(content, Mapping):
        raise DataError(f"{file} holds a {type(content).__name__}, expected keys such as train, val, names and kpt_shape")
    if content.get("kpt_shape") is None:
        raise DataError(f"{file} has no key `kpt_shape`, which YOLO-pose needs: {_shape_to_write(_label_files(file, content))}")
    count, dims = _shape(content["kpt_shape"], file)
    names = _class_names(content.get("names"))
    keypoints = _keypoint_names(content, count)
    for label in names.values():
        into.declare(label, keypoints)
    labels = _label_files(file, content)
    if not labels:
        raise DataError(f"{file}: there is no label file (.txt) in a folder `labels` below {file.parent}")
    for label_file in labels:
        _read_labels(label_file, names, keypoints, dims, into)


def _shape_to_write(labels: Sequence[Path]) -> str:
    """Advice on `kpt_shape`, by the number of columns in some of the label files."""
    rows = [line.split() for file in labels[:FILES_SEEN] for line in file.read_text(encoding="utf-8").splitlines()]
    counts = {len(row) for row in rows if row}
    columns = counts.pop() if len(counts) == 1 else 0
    if columns == BOX_COLUMNS:
        return "its label files have 5 columns, which are boxes without keypoints; label points and export as YOLO-pose"
    if counts:
        return "the rows of its label files differ in length, as outlines do; label points and export as YOLO-pose"
    fitting = [f"`kpt_shape: [{(columns - BOX_COLUMNS) // dims}, {dims}]` ({values} per keypoint)"
               for dims, values in ((3, "x, y, visibility"), (2, "x, y"))
               if columns > BOX_COLUMNS and (columns - BOX_COLUMNS) % dims == 0]  # fmt: skip
    if fitting:
        return f"its label files have {columns} columns, so write {' or '.join(fitting)}"
    return "write `kpt_shape: [number of keypoints, 3]`, or 2 in place of 3 if the label files have x and y without visibility"


def _shape(given: Any, file: Path) -> Tuple[int, int]:
    """Keypoints per object, and numbers per keypoint."""
    if not isinstance(given, (list, tuple)):
        raise DataError(f"{file}: kpt_shape is {given!r}, expected [keypoints (1 to {MOST_KEYPOINTS}), 2 or 3]")
    if len(given) != 2 or type(given[0]) is not int or not 1 <= given[0] <= MOST_KEYPOINTS or given[1] not in (2, 3):
        raise DataError(f"{file}: kpt_shape is {list(given)}, expected [keypoints (1 to {MOST_KEYPOINTS}), 2 or 3]")
    return given[0], int(given[1])


def _description(folder: Path) -> Path:
    contents = {file: load_plain_yaml(file) for file in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])}
    found = [file for file, content in contents.items() if is_yolo_yaml(content)]
    if not found:
        raise DataError(f"{folder} has no data.yaml with `kpt_shape`; give the file")
    return next((file for file in found if "kpt_shape" in contents[file]), found[0])


def _class_names(given: Any) -> Dict[int, str]:
    if isinstance(given, Mapping):
        return {int(number): str(name) for number, name in given.items()}
    return {number: str(name) for number, name in enumerate(given or ["object"])}


def _keypoint_names(content: Mapping[str, Any], count: int) -> List[str]:
    given = content.get("kpt_names")
    if isinstance(given, Mapping):  # one list per class
        given = next(iter(given.values()), None)
    if isinstance(given, list) and len(given) == count:
        return [str(name) for name in given]
    flip = content.get("flip_idx")
    if isinstance(flip, list) and len(flip) == count and sorted(flip) == list(range(count)):
        return [_by_flip(i, int(flip[i])) for i in range(count)]
    return [f"kp{i}" for i in range(count)]


def _by_flip(i: int, partner: int) -> str:
    """A name that says who the mirror partner is, since the file has none."""
    return f"kp{i}" if i == partner else f"left_kp{i}" if i < partner else f"right_kp{partner}"


def _label_files(file: Path, content: Mapping[str, Any]) -> List[Path]:
    root = file.parent
    if isinstance(content.get("path"), str):
        for base in (root / content["path"], Path(content["path"]), root):
            if base.is_dir():
                root = base
                break
    found: List[Path] = []
    for split in SPLITS:
        for place in _as_list(content.get(split)):
            parts = ["labels" if part == "images" else part for part in Path(place.replace("\\", "/")).parts]
            # Roboflow writes ../train/images for a folder beside data.yaml; Ultralytics forgives it, too
            places = [root.joinpath(*parts), *([root.joinpath(*parts[1:])] if parts[:1] == [".."] else [])]
            found += next((sorted(labels.rglob("*.txt")) for labels in places if labels.is_dir()), [])
    if not found:
        found = sorted(each for each in root.rglob("*.txt") if "labels" in each.relative_to(root).parts[:-1])
    return list(dict.fromkeys(found))  # train and val may be one folder


def _as_list(value: Any) -> List[str]:
    return [str(each) for each in value] if isinstance(value, list) else [] if value is None else [str(value)]


def _read_labels(file: Path, names: Mapping[int, str], keypoints: Sequence[str], dims: int, into: AnnotationSet) -> None:
    rows = [line.split() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    image = _image_of(file, into) if rows else None
    if image is None:
        return
    wh = (image["width"], image["height"])
    wanted = BOX_COLUMNS + len(keypoints) * dims
    for number, row in enumerate(rows, start=1):
        if len(row) != wanted:
            raise DataError(f"{file}, line {number}: {len(row)} columns, expected 5 + {len(keypoints)} x {dims} = {wanted}")
        try:
            values = [float(cell) for cell in row]
        except ValueError as error:
            raise DataError(f"{file}, line {number}: {error}") from error
        cx, cy, w, h = (value * wh[i % 2] for i, value in enumerate(values[1:5]))
        points = dict(zip(keypoints, (_point(values[i : i + dims], wh) for i in range(5, wanted, dims))))
        into.add(image, names.get(int(values[0]), str(int(values[0]))), points, [cx - w / 2, cy - h / 2, w, h])


def _image_of(file: Path, into: AnnotationSet) -> Optional[Dict[str, Any]]:
    parts = ["images" if part == "labels" else part for part in file.parts[-3:-1]]
    for suffix in (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"):
        name = "/".join([*parts, file.stem + suffix])
        if into.index.find(name):
            return into.image(name)
    return into.image(file.stem + ".jpg")


def _point(cell: Sequence[float], wh: Tuple[float, float]) -> Point:
    x, y = cell[0], cell[1]
    visible = visibility(cell[2]) if len(cell) > 2 else 2 if min(x, y) >= 0 else 0
    return (x * wh[0], y * wh[1], visible) if visible > 0 else (0, 0, 0)
