"""A person painted from their joints: clothes, skin, hair and face, and which keypoints can be seen.

Legend: K = 17 COCO keypoints. Lengths are in units of the person's height.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from ppdet.skeletons.tables import COCO17
from ppdet.visualize.rendered_people.body import HEAD_AXES, SIDES, Posture, joints_of
from ppdet.visualize.rendered_people.head import HEAD_POINTS, add_head
from ppdet.visualize.rendered_people.look import Look, Place
from ppdet.visualize.rendered_people.painter import Painter
from ppdet.visualize.rendered_people.shading import Canvas, Material

#: half widths along each part, from its first joint to its second
UPPER_ARM_R, FOREARM_R, HAND_R = np.array([0.034, 0.033, 0.027]), np.array([0.027, 0.026, 0.019]), np.array([0.019, 0.026, 0.015])
THIGH_R, SHANK_R, SHOE_R = np.array([0.06, 0.056, 0.042]), np.array([0.036, 0.04, 0.024]), np.array([0.028, 0.03, 0.022])
SLEEVE_R, SHORTS_R = np.array([0.041, 0.038, 0.036]), np.array([0.06, 0.062, 0.06])
SKIRT_R = np.array([0.078, 0.096, 0.105, 0.112])
NECK_R, SLOPE_R, BAG_R = np.array([0.031, 0.028, 0.03]), np.array([0.032, 0.036]), np.array([0.062, 0.078, 0.074])
TRUNK_FRONT = np.array([0.078, 0.085, 0.076, 0.078, 0.09, 0.098, 0.088, 0.05])  # hips to neck
TRUNK_SIDE = np.array([0.064, 0.066, 0.06, 0.061, 0.068, 0.066, 0.055, 0.04])
#: parts that show a keypoint where they are seen; the trunk covers shoulders and hips
SHOWN_BY = {
    "shoulder": ("trunk", "upper_arm"),
    "elbow": ("upper_arm", "forearm"),
    "wrist": ("forearm", "hand"),
    "hip": ("trunk", "thigh", "skirt"),
    "knee": ("thigh", "shank", "skirt"),
    "ankle": ("shank", "shoe"),
}
SIDED_PARTS = ("upper_arm", "forearm", "hand", "thigh", "shank", "shoe", "sleeve", "leg_cloth")
PARTS = ("trunk", "skirt", "neck", "head", "hair", "bag") + tuple(f"{side}_{part}" for side in SIDES for part in SIDED_PARTS)
#: numbers of one person's parts in `Canvas.labels` start at this multiple
LABELS_PER_PERSON = 64


def paint_person(canvas: Canvas, number: int, look: Look, posture: Posture, place: Place) -> np.ndarray:
    """Paint a person and return their (K, 2) keypoints in image pixels.

    Args:
        canvas: what to paint on.
        number: of the person, from 1 on; keeps labels of people apart.
    """
    joints = joints_of(posture)
    points = {name: place.project(xyz) for name, xyz in joints.items()}
    painter = Painter(canvas, place.height)
    _add_limbs(painter, number, look, points)
    _add_trunk(painter, number, look, points, place)
    add_head(painter, label(number, "head"), label(number, "hair"), look, points["head"], place)
    painter.paint()
    head = joints["head"]
    on_head = {name: place.project(head + HEAD_AXES * direction)[:2] for name, direction in HEAD_POINTS.items()}
    return np.array([on_head[name] if name in on_head else points[name][:2] for name in COCO17.names])


def label(number: int, part: str) -> int:
    """The label of a person's part."""
    return number * LABELS_PER_PERSON + PARTS.index(part)


def seen_keypoints(canvas: Canvas, number: int, keypoints: np.ndarray, yaw: float) -> np.ndarray:
    """(K,) COCO visibility after everything is painted: 2 seen, 1 hidden by something, 0 outside the image."""
    height, width = canvas.labels.shape
    visibility = np.zeros(len(keypoints), np.int64)
    for row, (name, xy) in enumerate(zip(COCO17.names, keypoints)):
        showing = _labels_showing(number, name, yaw)
        x, y = (int(value) for value in np.rint(xy))
        if not (0 <= x < width and 0 <= y < height):
            continue
        near = canvas.labels[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
        visibility[row] = 2 if not showing.isdisjoint(near.ravel().tolist()) else 1
    return visibility


@cache
def _labels_showing(number: int, keypoint: str, yaw: float) -> frozenset[int]:
    if keypoint in HEAD_POINTS:
        direction = HEAD_POINTS[keypoint]
        faces_viewer = direction[2] * np.cos(yaw) - direction[0] * np.sin(yaw) > -0.15
        return frozenset((label(number, "head"), label(number, "hair")) if faces_viewer else ())
    side, part = keypoint.split("_")
    names = [name if name in PARTS else f"{side}_{name}" for name in SHOWN_BY[part]]
    names += [f"{side}_sleeve"] if part in ("shoulder", "elbow", "wrist") else [f"{side}_leg_cloth"]
    return frozenset(label(number, name) for name in names)


def _add_limbs(painter: Painter, number: int, look: Look, points: dict[str, np.ndarray]) -> None:
    build = look.build
    bare = look.legwear != "trousers"

    def add(
        part: str, start: np.ndarray, end: np.ndarray, radii: np.ndarray, material: Material, bias: float, hem: bool = False
    ) -> None:
        depth = float(start[2] + end[2]) / 2
        dim = 1.0 if depth > -0.03 else 0.84  # the far arm and leg lie in the body's shadow
        painter.tube(depth + bias, label(number, part), start, end, radii, material, dim, (False, hem))

    for side in SIDES:
        shoulder, elbow, wrist, hand, hip, knee, ankle, heel, toe = (
            points[f"{side}_{name}"]
            for name in ("shoulder", "elbow", "wrist", "hand", "hip", "knee", "ankle", "heel", "toe")
        )  # fmt: skip
        add(f"{side}_hand", wrist, hand, HAND_R, look.skin, 0.022)
        add(f"{side}_forearm", elbow, wrist, FOREARM_R * build, look.skin, 0.02)
        add(f"{side}_upper_arm", shoulder, elbow, UPPER_ARM_R * build, look.skin, 0.015)
        short = look.sleeves == "short"
        if not short:
            add(f"{side}_sleeve", elbow, elbow + 0.93 * (wrist - elbow), FOREARM_R * build + 0.006, look.top, 0.024, hem=True)
        cuff = shoulder + 0.62 * (elbow - shoulder) if short else elbow
        add(f"{side}_sleeve", shoulder, cuff, SLEEVE_R * build, look.top, 0.018, hem=short)
        leg = look.skin if bare else look.bottom
        add(f"{side}_shank", knee, ankle, SHANK_R * build + (0 if bare else 0.007), leg, -0.065, hem=not bare)
        add(f"{side}_thigh", hip, knee, THIGH_R * build, leg, -0.06)
        if look.legwear == "shorts":
            add(f"{side}_leg_cloth", hip, hip + 0.8 * (knee - hip), SHORTS_R * build, look.bottom, -0.055, hem=True)
        add(f"{side}_shoe", heel, toe, SHOE_R, look.shoes, -0.075)


def _add_trunk(painter: Painter, number: int, look: Look, points: dict[str, np.ndarray], place: Place) -> None:
    front = abs(float(np.cos(place.yaw)))
    widths = look.build * (front * TRUNK_FRONT + (1 - front) * TRUNK_SIDE)
    neck, pelvis, head = points["neck"], points["pelvis"], points["head"]
    down = np.array([0.0, painter.unit, 0.0])
    trunk = label(number, "trunk")
    painter.tube(-0.07, trunk, pelvis - 0.01 * down, pelvis + 0.1 * (neck - pelvis), widths[:2] * 0.97, look.bottom)
    painter.tube(0.0, trunk, pelvis + 0.02 * (pelvis - neck), neck, widths, look.top, flat=(True, False))
    for side in SIDES:  # the slope from neck to shoulder
        painter.tube(0.001, trunk, neck + 0.012 * down, points[f"{side}_shoulder"], SLOPE_R, look.top)
    throat = neck + 0.012 * down
    painter.tube(0.004, label(number, "neck"), throat, throat + 0.65 * (head - neck), NECK_R * look.build, look.skin, dim=0.86)
    if look.legwear == "skirt":
        knees = (points["left_knee"] + points["right_knee"]) / 2
        painter.tube(-0.002, label(number, "skirt"), pelvis, pelvis + 0.85 * (knees - pelvis), SKIRT_R * look.build, look.bottom,
                     flat=(False, True))  # fmt: skip
    if look.bag is not None:
        top, bottom = place.project(np.array([[0.0, 0.79, -0.085], [0.0, 0.6, -0.09]]))
        painter.tube(float(top[2]), label(number, "bag"), top, bottom, BAG_R * (0.75 + 0.25 * front), look.bag)
