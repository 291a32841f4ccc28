"""MPII Human Pose: the JSON of pose trainers, or the MAT file of the dataset. Coordinates count from 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np

from ppdet.annotations.values import as_number, is_number
from ppdet.core.errors import DataError, PpdetError
from ppdet.data.formats.annotation_set import AnnotationSet, Point
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
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise PpdetError(f"{file}: a MAT file needs SciPy, which is not installed here: pip install scipy") from error
    try:
        release = loadmat(str(file), squeeze_me=True, struct_as_record=False)["RELEASE"]
    except (KeyError, ValueError, NotImplementedError, OSError) as error:
        raise DataError(f"{file} is no MAT file of MPII: {error}") from error
    into.declare(CLASS, MPII16.names, MPII16.link_names)
    for each in np.atleast_1d(release.annolist):
        for person in np.atleast_1d(getattr(each, "annorect", [])):
            points = _mat_points(person)
            image = into.image(str(each.image.name)) if points else None
            if image is not None:
                into.add(image, CLASS, points, _mat_box(person))


def _mat_points(person: Any) -> Dict[str, Point]:
    found: Dict[str, Point] = {}
    points = getattr(getattr(person, "annopoints", None), "point", None)
    for point in np.atleast_1d(points) if points is not None else ():
        visible = as_number(str(getattr(point, "is_visible", "")).strip() or None)
        found[MPII16.names[int(point.id)]] = (float(point.x) - 1, float(point.y) - 1, 1 if visible == 0 else 2)
    return found


def _mat_box(person: Any) -> Optional[List[float]]:
    place, scale = getattr(person, "objpos", None), np.ravel(getattr(person, "scale", []))
    if not hasattr(place, "x") or not scale.size:
        return None
    return _person_box({"center": [float(place.x), float(place.y)], "scale": float(scale[0])})  # type: ignore[union-attr]


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
