"""A rendered walking person with known keypoints: a clip without licence terms, for the demo and tests.

Legend: T frames, K = 17 COCO keypoints. Lengths are in units of the person's height.
"""

from __future__ import annotations

from typing import Iterator

import cv2
import numpy as np

SKIN = (196, 150, 122)
HAIR = (52, 38, 30)
SHIRT = (64, 92, 150)
TROUSERS = (44, 48, 58)
SHOES = (28, 26, 28)

#: segment lengths (Drillis and Contini, 1966, rounded)
_UPPER_ARM, _FOREARM, _THIGH, _SHANK = 0.186, 0.146, 0.245, 0.246


def walking_keypoints(phase: float, height: float, foot_xy: tuple[float, float], turn: float = 0.55) -> np.ndarray:
    """(17, 2) image pixels of a person seen from the front and a little from the side.

    Args:
        phase: of the gait, in cycles.
        height: of the person, in pixels.
        foot_xy: the point on the floor below the hips.
        turn: how much of the stride is visible, 0 (from the front) to 1 (from the side).
    """
    swing = np.sin(2 * np.pi * phase)
    hip_y = foot_xy[1] - height * (_THIGH + _SHANK + 0.03)
    center = np.array([foot_xy[0], hip_y])

    def at(dx: float, dy: float) -> np.ndarray:
        return center + height * np.array([dx, dy])

    def limb(start: np.ndarray, upper: float, lower: float, angle: float, bend: float) -> tuple[np.ndarray, np.ndarray]:
        middle = start + height * upper * np.array([np.sin(angle) * turn, np.cos(angle)])
        end = middle + height * lower * np.array([np.sin(angle + bend) * turn, np.cos(angle + bend)])
        return middle, end

    shoulders = at(0.11, -0.30), at(-0.11, -0.30)
    hips = at(0.055, 0.0), at(-0.055, 0.0)
    arms = [limb(s, _UPPER_ARM, _FOREARM, side * 0.5 * swing + out, 0.35) for s, side, out in
            zip(shoulders, (-1, 1), (0.35, -0.35))]  # fmt: skip
    legs = [limb(h, _THIGH, _SHANK, side * 0.45 * swing, -0.25 - 0.3 * max(0.0, -side * swing)) for h, side in zip(hips, (1, -1))]
    face = [at(0.0, -0.415), at(0.018, -0.435), at(-0.018, -0.435), at(0.048, -0.425), at(-0.048, -0.425)]
    rows = [*face, *shoulders, arms[0][0], arms[1][0], arms[0][1], arms[1][1], *hips]
    rows += [legs[0][0], legs[1][0], legs[0][1], legs[1][1]]
    return np.array(rows)


def draw_mannequin(image: np.ndarray, xy: np.ndarray, height: float) -> None:
    """Paint the person with (17, 2) keypoints ``xy`` into an RGB image, in place."""

    def capsule(a: np.ndarray, b: np.ndarray, width: float, color: tuple[int, int, int]) -> None:
        """A limb with shading, lit from the left."""
        thick = max(int(width * height), 2)
        for part, light in ((1.0, 0.78), (0.72, 1.0), (0.3, 1.14)):
            shift = np.array([-thick * (1 - part) * 0.22, 0])
            shade = tuple(float(min(255, c * light)) for c in color)
            cv2.line(image, _point(a + shift), _point(b + shift), shade, max(int(thick * part), 1), cv2.LINE_AA)

    left_hip, right_hip, left_shoulder, right_shoulder = xy[11], xy[12], xy[5], xy[6]
    for hip, knee, ankle in ((12, 14, 16), (11, 13, 15)):
        capsule(xy[hip], xy[knee], 0.105, TROUSERS)
        capsule(xy[knee], xy[ankle], 0.08, TROUSERS)
        toe = xy[ankle] + height * np.array([0.02, 0.03])
        capsule(xy[ankle] + height * np.array([0, 0.02]), toe, 0.055, SHOES)
    for a, b in ((left_shoulder, left_hip), (right_shoulder, right_hip), (left_shoulder, right_shoulder), (left_hip, right_hip)):
        capsule(a, b, 0.09, SHIRT)
    torso = np.array([left_shoulder, right_shoulder, right_hip, left_hip])
    cv2.fillConvexPoly(image, np.int32(torso * 16), SHIRT, cv2.LINE_AA, 4)
    neck = (left_shoulder + right_shoulder) / 2
    capsule(neck, xy[0], 0.05, SKIN)
    for shoulder, elbow, wrist in ((6, 8, 10), (5, 7, 9)):
        capsule(xy[shoulder], xy[elbow], 0.07, SHIRT)
        capsule(xy[elbow], xy[wrist], 0.05, SKIN)
        cv2.circle(image, _point(xy[wrist]), max(int(0.03 * height), 1), SKIN, -1, cv2.LINE_AA)
    _draw_head(image, xy, height)


def _draw_head(image: np.ndarray, xy: np.ndarray, height: float) -> None:
    head = (xy[3] + xy[4]) / 2
    axes = (max(int(0.05 * height), 1), max(int(0.068 * height), 1))
    cv2.ellipse(image, _point(head - [0, 0.018 * height]), (axes[0] + 2, axes[1]), 0, 0, 360, HAIR, -1, cv2.LINE_AA)
    cv2.ellipse(image, _point(head + [0, 0.008 * height]), (axes[0], int(axes[1] * 0.9)), 0, 0, 360, SKIN, -1, cv2.LINE_AA)
    for eye in xy[1:3]:
        cv2.circle(image, _point(eye), max(int(0.007 * height), 1), HAIR, -1, cv2.LINE_AA)
    mouth = xy[0] + [0, 0.03 * height]
    cv2.ellipse(image, _point(mouth), (max(int(0.014 * height), 1), 1), 0, 0, 360, (150, 80, 80), -1, cv2.LINE_AA)


def walking_clip(frames: int = 75, size_wh: tuple[int, int] = (640, 480)) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield T pairs of an (H, W, 3) RGB frame and the (17, 2) keypoints of the person in it, who walks to and fro."""
    width, height = size_wh
    stage = _stage(size_wh)
    for t in range(frames):
        across = 0.5 + 0.28 * np.sin(2 * np.pi * t / max(frames, 1))
        tall = 0.78 * height
        xy = walking_keypoints(t / 25.0, tall, (across * width, 0.95 * height))
        image = stage.copy()
        draw_mannequin(image, xy, tall)
        yield cv2.GaussianBlur(image, (3, 3), 0), xy


def _stage(size_wh: tuple[int, int]) -> np.ndarray:
    """Background: a wall and a floor with a little noise."""
    width, height = size_wh
    horizon = int(0.72 * height)
    image = np.empty((height, width, 3), np.float32)
    image[:horizon] = np.linspace(214, 196, horizon)[:, None, None]
    image[horizon:] = np.linspace(120, 150, height - horizon)[:, None, None] * np.array([1.0, 0.93, 0.84])
    grain = np.random.default_rng(0).normal(0, 3, (height, width, 1))
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def _point(xy: np.ndarray) -> tuple[int, int]:
    return int(round(float(xy[0]))), int(round(float(xy[1])))
