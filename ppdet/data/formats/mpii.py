"""MPII Human Pose: the JSON of pose trainers, or the MAT file of the dataset. Coordinates count from 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ppdet.annotations.values import as_number, is_number
from ppdet.core.errors import DataError
from ppdet.data.formats.annotation_set import AnnotationSet, Point
from ppdet.data.formats.mpii_mat import read_release
from ppdet.skeletons.tables import MPII16

CLASS = "person"
BODY_UNIT = 200
"""Pixels of a person's height per unit of `scale`."""


def is_mpii(content: Any) -> bool:
    """Whether a JSON file is MPII's."""
    return (
        isinstance(content, list)
        and bool(content)
        and isinstance(content[0], Mapping)
        and "image" in content[0]
        and ("joints" in content[0] or "gt_joints" in content[0])
    )


def read(content: Sequence[Any], into: AnnotationSet) -> None:
    """Add the persons of a JSON file; hidden joints count as visible there, which the notes say."""
    into.notes.append("MPII's JSON does not tell hidden joints from visible ones: both become visible")
    into.declare(CLASS, MPII16.names, MPII16.link_names)
    for entry in content:
        if not isinstance(entry, Mapping) or "image" not in entry:
            continue
        joints, flags = entry.get("gt_joints", entry.get("joints")), entry.get("joints_vis")
        if not isinstance(joints, list):
            continue
        names = MPII16.names if len(joints) == len(MPII16.names) else [f"kp{i}" for i in range(len(joints))]
        flags = flags if isinstance(flags, list) and len(flags) == len(joints) else [1] * len(joints)
        points = {name: _point(xy, flag) for name, xy, flag in zip(names, joints, flags)}
        image = into.image(str(entry["image"])) if any(v for _, _, v in points.values()) else None
        if image is not None:
            into.add(image, CLASS, points, _person_box(entry))


def read_mat(file: Path, into: AnnotationSet) -> None:
    """Add the persons of the dataset's MAT file.

    Raises:
        PpdetError: SciPy is not installed.
        DataError: no MAT file, or none of MPII.
    """
    release = read_release(file)
    into.declare(CLASS, MPII16.names, MPII16.link_names)
    for each in release:
        for person in each["persons"]:
            points = _mat_points(person["joints"], file)
            image = into.image(each["image"]) if points else None
            if image is not None:
                box = person["box"] or [None] * 3
                into.add(image, CLASS, points, _person_box({"center": box[:2], "scale": box[2]}))


def _mat_points(joints: Sequence[Any], file: Path) -> Dict[str, Point]:
    found: Dict[str, Point] = {}
    for number, x, y, visible in joints:
        if not 0 <= number < len(MPII16.names):
            raise DataError(f"{file}: a joint has id {number}, expected 0 to {len(MPII16.names) - 1}")
        found[MPII16.names[number]] = (x - 1, y - 1, 1 if as_number(visible or None) == 0 else 2)
    return found


def _point(xy: Any, flag: Any) -> Point:
    good = isinstance(xy, list) and len(xy) >= 2 and all(map(is_number, xy[:2]))
    if not good or not flag or (xy[0] < 0 and xy[1] < 0):
        return (0, 0, 0)
    return xy[0] - 1, xy[1] - 1, 2


def _person_box(entry: Mapping[str, Any]) -> Optional[List[float]]:
    """The square box of 200 x scale that pose trainers use, shifted down by 15 x scale."""
    center, scale = entry.get("center"), entry.get("scale")
    if not isinstance(center, list) or len(center) != 2 or not is_number(scale) or not all(map(is_number, center)):
        return None
    if float(scale) <= 0:  # type: ignore[arg-type]
        return None
    side = BODY_UNIT * float(scale)  # type: ignore[arg-type]
    x, y = center[0] - 1, center[1] - 1 + 15 * float(scale)  # type: ignore[arg-type]
    return [x - side / 2, y - side / 2, side, side]
