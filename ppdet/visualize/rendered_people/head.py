"""A head: an ellipsoid whose surface knows where face and hair are, so that it can be turned.

Legend: h w = pixels of the part of the image that the head covers.
"""

from __future__ import annotations

import numpy as np

from ppdet.visualize.rendered_people.body import EAR, EYE, HEAD_AXES, NOSE
from ppdet.visualize.rendered_people.look import Look, Place
from ppdet.visualize.rendered_people.painter import Painter
from ppdet.visualize.rendered_people.shading import EDGE, Canvas, Material, light_on, rgb

MIRROR = np.array([-1.0, 1.0, 1.0])
#: COCO's head keypoints as directions from the centre of the head, in units of its half extents
HEAD_POINTS = {"nose": NOSE, "left_eye": EYE, "right_eye": EYE * MIRROR, "left_ear": EAR, "right_ear": EAR * MIRROR}
EAR_R, NOSE_R, LONG_HAIR_R = np.array([0.011, 0.008]), np.array([0.004, 0.008]), np.array([0.054, 0.06, 0.052, 0.034])
LIPS, SHADOW, EYE_WHITE, IRIS = (150, 72, 68), (60, 34, 28), (228, 222, 214), (42, 32, 28)


def add_head(painter: Painter, head_label: int, hair_label: int, look: Look, center: np.ndarray, place: Place) -> None:
    """Add the parts of a head.

    Args:
        painter: of the person.
        head_label, hair_label: for `Canvas.labels`.
        look: skin and hair.
        center: (3,) of the head: x, y in image pixels, depth in body units.
        place: height and direction of the person.
    """
    unit = place.height

    def at(direction: np.ndarray) -> np.ndarray:
        cos, sin = np.cos(place.yaw), np.sin(place.yaw)
        x, y, z = HEAD_AXES * direction
        return np.array([center[0] + unit * (x * cos + z * sin), center[1] - unit * y, center[2] + z * cos - x * sin])

    painter.add(float(center[2]) + 0.01, lambda: _paint_ball(painter.canvas, head_label, hair_label, look, center, place))
    down = np.array([0.0, unit, 0.0])
    for mirror in (np.ones(3), MIRROR):
        ear = at(EAR * mirror)
        painter.tube(ear[2] + 0.012, head_label, ear - 0.014 * down, ear + 0.012 * down, EAR_R, look.skin, dim=0.9)
    bridge, tip = at(np.array([0.0, 0.08, 0.97])), at(NOSE)
    in_front = np.cos(place.yaw) > -0.1
    painter.tube(tip[2] + 0.02 if in_front else center[2] - 1, head_label, bridge, tip, NOSE_R, look.skin, dim=1.04)
    if look.long_hair:
        top, ends = at(np.array([0.0, 0.15, -0.5])), at(np.array([0.0, -1.9, -0.9]))
        painter.tube(center[2] - 0.11 * np.cos(place.yaw), hair_label, top, ends, LONG_HAIR_R, look.hair)


def _paint_ball(canvas: Canvas, head_label: int, hair_label: int, look: Look, center: np.ndarray, place: Place) -> None:
    cos, sin = float(np.cos(place.yaw)), float(np.sin(place.yaw))
    across = place.height * float(np.hypot(HEAD_AXES[0] * cos, HEAD_AXES[2] * sin))
    up = place.height * float(HEAD_AXES[1])
    window = canvas.window(center[:2] - [across + 2, up + 2], center[:2] + [across + 2, up + 2])
    if window is None:
        return
    ys, xs = np.ogrid[window]
    below = (ys - np.float32(center[1])) / up
    jaw = 1 - 0.2 * np.clip(below, 0, 1) ** 2  # the chin is narrower than the brow
    right = (xs - np.float32(center[0])) / (across * jaw)
    radius = np.sqrt(right**2 + below**2)
    alpha = np.clip((1 - radius) * min(across, up) / EDGE + 0.5, 0.0, 1.0)
    toward = np.sqrt(np.clip(1 - right**2 - below**2, 0.0, 1.0))
    left = right * cos - toward * sin  # back into the head's own frame: to its left, up, forward
    forward = right * sin + toward * cos
    hair = hair_share(left, -below, forward, look.beard)
    light = light_on(right, below + 0 * right)
    color = _face(left, -below + 0 * right, forward, look.skin)
    strands = 1 + 0.16 * np.sin(34 * left + 9 * np.sin(6 * forward) + 3 * below)
    hair_color = rgb(look.hair.color) * strands[..., None]
    color = color + hair[..., None] * (hair_color - color)
    canvas.blend(window, np.clip(color * light[..., None], 0, 255), alpha, head_label)
    canvas.labels[window][(alpha > 0.5) & (hair > 0.5)] = hair_label


def hair_share(left: np.ndarray, up: np.ndarray, forward: np.ndarray, beard: bool) -> np.ndarray:
    """(h, w) how much of each place on the head is hair: down to the forehead in front, over the ears, to the nape behind."""
    line = 0.5 - 0.55 * (1 - forward) + 0.06 * np.sin(9 * left)
    hair = np.clip((up - line) / 0.12 + 0.5, 0.0, 1.0)
    if beard:
        cheek = np.clip((-0.3 - up - 0.25 * (forward > 0.9)) / 0.12 + 0.5, 0.0, 1.0) * (forward > 0.05)
        hair = np.maximum(hair, 0.8 * cheek)
    return hair


def _face(left: np.ndarray, up: np.ndarray, forward: np.ndarray, skin: Material) -> np.ndarray:
    """(h, w, 3) unlit colours of the face."""
    color = np.empty((*up.shape, 3), np.float32)
    color[:] = skin.color
    in_front = forward > 0

    def spot(place: tuple[float, float], axes: tuple[float, float], tint: tuple[float, ...], strength: float) -> None:
        distance = np.hypot((np.abs(left) - place[0]) / axes[0], (up - place[1]) / axes[1])
        share = strength * np.clip(1.5 - distance, 0.0, 1.0) * in_front
        color[:] = color + share[..., None] * (rgb(tint) - color)

    spot((0.36, 0.14), (0.24, 0.15), SHADOW, 0.34)  # sockets
    spot((0.38, -0.22), (0.22, 0.2), (205, 110, 95), 0.16)  # cheeks
    spot((0.36, 0.1), (0.15, 0.065), EYE_WHITE, 0.75)
    spot((0.36, 0.1), (0.075, 0.07), IRIS, 0.95)
    spot((0.36, 0.29), (0.2, 0.035), SHADOW, 0.8)  # brows
    spot((0.0, -0.28), (0.16, 0.04), SHADOW, 0.4)  # below the nose
    spot((0.0, -0.52), (0.25, 0.05), LIPS, 0.85)
    return color
