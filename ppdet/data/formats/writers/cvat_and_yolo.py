"""CVAT's XML 1.1 for images, and YOLO-pose's folder."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Dict, List, Mapping, Sequence
from xml.etree import ElementTree

import yaml

from ppdet.core.errors import DataError
from ppdet.data.formats.writers.objects import NamedContent, NamedObject
from ppdet.skeletons.lookup import skeleton_from_categories

TRUE, FALSE = "1", "0"


def cvat(content: NamedContent, file: Path) -> List[str]:
    """Skeletons, and boxes drawn around them. Numbers have four decimals; CVAT itself writes two."""
    root = ElementTree.Element("annotations")
    ElementTree.SubElement(root, "version").text = "1.1"
    labels = ElementTree.SubElement(ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "job"), "labels")
    for label, names in content.classes.items():
        _label(labels, label, "skeleton", None)
        for name in names:
            _label(labels, name, "points", label)
    for number, (image, objects) in enumerate(content.images):
        size = {"width": str(image["width"]), "height": str(image["height"])}
        element = ElementTree.SubElement(root, "image", {"id": str(number), "name": image["file_name"], **size})
        for each in objects:
            _skeleton(element, each)
    ElementTree.indent(root, " ")
    ElementTree.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)
    return []


def _label(parent: ElementTree.Element, name: str, kind: str, owner: str | None) -> None:
    label = ElementTree.SubElement(parent, "label")
    for tag, text in (("name", name), ("type", kind), ("parent", owner)):
        if text is not None:
            ElementTree.SubElement(label, tag).text = text


def _skeleton(image: ElementTree.Element, each: NamedObject) -> None:
    skeleton = ElementTree.SubElement(image, "skeleton", {"label": each.label, "source": "manual", "z_order": "0"})
    for name, (x, y, v) in each.points.items():
        ElementTree.SubElement(skeleton, "points", {
            "label": name, "source": "manual", "outside": FALSE if v > 0 else TRUE, "occluded": TRUE if v == 1 else FALSE,
            "points": f"{x:.4f},{y:.4f}",
        })  # fmt: skip
    if each.box is not None:
        x, y, w, h = each.box
        corners = {"xtl": x, "ytl": y, "xbr": x + w, "ybr": y + h}
        ElementTree.SubElement(image, "box", {
            "label": each.label, "source": "manual", "occluded": FALSE, **{key: f"{value:.4f}" for key, value in corners.items()},
        })  # fmt: skip


def yolo_pose(content: NamedContent, folder: Path, image_folder: str) -> List[str]:
    """`data.yaml` and a label file per image below `labels/train`.

    Raises:
        DataError: classes have different keypoints.
    """
    if len({tuple(names) for names in content.classes.values()}) != 1:
        raise DataError("YOLO-pose has one list of keypoints for all classes, and the classes of this file differ: choose "
        "one with --category")
    numbers = {label: number for number, label in enumerate(content.classes)}
    names = next(iter(content.classes.values()))
    for image, objects in content.images:
        path = folder / "labels" / PurePosixPath(image["file_name"]).with_suffix(".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [_row(each, numbers[each.label], names, image) for each in objects]
        path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    flips = skeleton_from_categories({"name": "object", "keypoints": names}).flip_permutation.tolist()
    about = {
        "path": ".", "train": image_folder, "val": image_folder, "kpt_shape": [len(names), 3], "flip_idx": flips,
        "names": {number: label for label, number in numbers.items()}, "kpt_names": {n: list(names) for n in numbers.values()},
    }  # fmt: skip
    (folder / "data.yaml").write_text(yaml.safe_dump(about, sort_keys=False, allow_unicode=True), encoding="utf-8")
    without = sum(each.box is None for _, objects in content.images for each in objects)
    return [f"{without} objects have no box; YOLO-pose needs one, and gets the extent of the keypoints"] if without else []


def _row(each: NamedObject, number: int, names: Sequence[str], image: Mapping[str, int]) -> str:
    width, height = image["width"], image["height"]
    if each.box is None:
        xs, ys = zip(*((x, y) for x, y, _ in each.labelled.values()))
        x, y, w, h = min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
    else:
        x, y, w, h = each.box
    cells = [(x + w / 2) / width, (y + h / 2) / height, w / width, h / height]
    points: Dict[str, tuple[float, float, int]] = each.points
    tail = [f"{px / width:.8f} {py / height:.8f} {v}" if v > 0 else "0 0 0" for px, py, v in (points[name] for name in names)]
    return " ".join([str(number), *(f"{cell:.8f}" for cell in cells), *tail])
