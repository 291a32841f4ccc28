"""Synthetic people who walk, cross, hide, leave and shake with the camera: what a detector would see of them, and the truth.

Legend: F frames, N people of a frame, K keypoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

import numpy as np

from ppdet.geometry.boxes import box_areas

FPS = 30.0
WIDTH, HEIGHT = 1280.0, 720.0
#: Keypoints of a standing person as shares of the box: head, shoulders, elbows, wrists, hips, knees, ankles (COCO's 17).
BODY = np.array([
    [0.5, 0.08], [0.55, 0.06], [0.45, 0.06], [0.6, 0.08], [0.4, 0.08], [0.75, 0.22], [0.25, 0.22], [0.85, 0.37], [0.15, 0.37],
    [0.85, 0.5], [0.15, 0.5], [0.66, 0.52], [0.34, 0.52], [0.66, 0.74], [0.34, 0.74], [0.66, 0.96], [0.34, 0.96],
])  # fmt: skip
#: How far each swings to the side in a step, in widths; left and right in opposite phase.
SWING = np.array([0, 0, 0, 0, 0, 0.02, -0.02, 0.1, -0.1, 0.25, -0.25, 0, 0, -0.15, 0.15, -0.3, 0.3])
NEVER_SEEN, HARDLY_SEEN = 0.75, 0.4


@dataclass(frozen=True)
class Scene:
    """What happens in a clip.

    Attributes:
        name: of the scene.
        people: at any time.
        seconds: its length.
        speed: of walking, in heights per second.
        pillars: how many upright obstacles hide who is behind them.
        stays: people turn round at the image's border; else they leave, and others come.
        shake: standard deviation of the camera's shift from frame to frame, in heights.
        lanes: people walk in so many rows, so that they meet; None spreads them over the image.
        seed: of the random numbers.
    """

    name: str
    people: int = 8
    seconds: float = 20.0
    speed: float = 0.7
    pillars: int = 0
    stays: bool = True
    shake: float = 0.0
    lanes: Optional[int] = 3
    seed: int = 0


SCENES = (
    Scene("crossings", people=10, lanes=2),
    Scene("occlusions", people=8, pillars=4),
    Scene("exits", people=8, stays=False),
    Scene("camera shake", people=8, shake=0.25),
    Scene("all together", people=12, pillars=3, stays=False, shake=0.15),
)


@dataclass(frozen=True)
class SeenFrame:
    """One frame: the people there are, and what a detector finds.

    Attributes:
        true_ids, true_boxes: (N,), (N, 4) xyxy of everybody who is not wholly hidden.
        boxes, scores: (M, 4), (M,) found.
        keypoints, keypoint_scores: (M, K, 2), (M, K).
        seconds: time.
    """

    true_ids: np.ndarray
    true_boxes: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    keypoints: np.ndarray
    keypoint_scores: np.ndarray
    seconds: float


def frames_of(scene: Scene) -> list[SeenFrame]:
    """The frames of a scene; the same every time.

    Boxes tremble by 2.5 % of the height and keypoints by 1.5 %, 3 % of the people are missed, there is a false box in every sixth
    frame, and who is half hidden scores low.
    """
    rng = np.random.default_rng(scene.seed)
    height = rng.uniform(120, 220, scene.people)
    lane = np.arange(scene.people) % (scene.lanes or scene.people)
    feet = HEIGHT * (0.45 + 0.5 * (lane + rng.uniform(0, 0.2, scene.people)) / (scene.lanes or scene.people))
    x = rng.uniform(0, WIDTH, scene.people)
    velocity = height * scene.speed * rng.uniform(0.7, 1.4, scene.people) * rng.choice([-1, 1], scene.people)
    identity, phase = np.arange(1, scene.people + 1), rng.uniform(0, 6, scene.people)
    pillars = np.linspace(0.15, 0.85, scene.pillars) * WIDTH
    frames, born, camera = [], scene.people, np.zeros(2)
    for number in range(int(scene.seconds * FPS)):
        x = x + velocity / FPS
        out = (x < -0.2 * height) | (x > WIDTH + 0.2 * height)
        if scene.stays:
            velocity = np.where((x < 0.2 * height) | (x > WIDTH - 0.2 * height), np.copysign(velocity, WIDTH / 2 - x), velocity)
        elif out.any():
            identity = identity.copy()
            identity[out] = born + 1 + np.arange(out.sum())
            born += int(out.sum())
            x = np.where(out, np.where(rng.random(scene.people) < 0.5, 0.0, WIDTH), x)
            velocity = np.where(out, np.copysign(velocity, WIDTH / 2 - x), velocity)
        camera = 0.7 * camera + rng.normal(0, scene.shake * 170 * 0.7, 2)
        box = np.stack([x - 0.2 * height, feet - height, x + 0.2 * height, feet], axis=1)
        hidden = np.maximum(_behind_others(box), _behind_pillars(box, pillars))
        frames.append(_seen(rng, identity, box, hidden, phase + number / FPS * 2 * np.pi * 1.8, camera, number / FPS))
    return frames


def crowd(people: int, seconds: float = 3.0) -> list[SeenFrame]:
    """Frames of so many people far enough apart to be seen, to measure time by."""
    return frames_of(Scene("crowd", people, seconds, lanes=None))


def _behind_others(box: np.ndarray) -> np.ndarray:
    """(N,) largest share of each box that one nearer person hides; who stands lower in the image is nearer."""
    low = np.maximum(box[:, None, :2], box[None, :, :2])
    high = np.minimum(box[:, None, 2:], box[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2) / box_areas(box)[:, None]
    return (shared * (box[None, :, 3] > box[:, None, 3])).max(axis=1)


def _behind_pillars(box: np.ndarray, pillars: np.ndarray) -> np.ndarray:
    """(N,) share of each box behind a pillar of 70 pixels."""
    low = np.maximum(box[:, None, 0], pillars[None] - 35)
    high = np.minimum(box[:, None, 2], pillars[None] + 35)
    return (np.maximum(high - low, 0) / (box[:, 2] - box[:, 0])[:, None]).sum(axis=1)


def _seen(
    rng: np.random.Generator, identity: np.ndarray, box: np.ndarray, hidden: np.ndarray, phase: np.ndarray, camera: np.ndarray,
    seconds: float,
) -> SeenFrame:
    shift = np.concatenate([camera, camera])
    whole = box_areas(box)
    box = np.clip(box, 0, (WIDTH, HEIGHT, WIDTH, HEIGHT))
    there = (hidden < NEVER_SEEN) & (box_areas(box) > 0.25 * whole)
    found = there & (rng.random(len(box)) > 0.03)
    height = (box[found, 3] - box[found, 1])[:, None]
    boxes = box[found] + rng.normal(0, 0.025, (found.sum(), 4)) * height + shift
    size = box[found, 2:] - box[found, :2]
    swing = SWING[None] * np.sin(phase[found])[:, None]
    points = box[found, None, :2] + (BODY[None] + np.stack([swing, np.zeros_like(swing)], axis=2)) * size[:, None]
    points = points + rng.normal(0, 0.015, points.shape) * height[:, None] + camera
    scores = np.clip(np.where(hidden[found] > HARDLY_SEEN, 0.35, 0.85) + rng.normal(0, 0.05, found.sum()), 0.05, 1)
    if rng.random() < 1 / 6:
        corner = rng.uniform(0, (WIDTH - 80, HEIGHT - 200), 2)
        ghost = np.concatenate([corner, corner + (70, 170)])
        boxes, scores = np.concatenate([boxes, ghost[None]]), np.append(scores, rng.uniform(0.2, 0.7))
        points = np.concatenate([points, (corner + BODY * (70, 170))[None]])
    order = rng.permutation(len(boxes))
    return SeenFrame(identity[there].copy(), box[there] + shift, boxes[order], scores[order], points[order],
                     np.full((len(boxes), len(BODY)), 0.8), seconds)  # fmt: skip
