"""A street with several people who walk, wave and pass each other: a clip with known keypoints that may be shipped.

Legend: N people, K = 17 COCO keypoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from ppdet.visualize.rendered_people.body import Posture, arms_raised, using_phone, walking, waving
from ppdet.visualize.rendered_people.figure import LABELS_PER_PERSON, paint_person, seen_keypoints
from ppdet.visualize.rendered_people.look import Look, Place
from ppdet.visualize.rendered_people.shading import Canvas, smooth_noise
from ppdet.visualize.rendered_people.street import GROUND, HORIZON, foreground_planter, street
from ppdet.visualize.rendered_people.wardrobe import looks

FPS = 25.0
FRAMES = 100
SIZE_WH = (640, 360)
GAIT_FRAMES = 26  # of one cycle, two steps
STEP_PER_CYCLE = 0.8  # distance in heights


@dataclass(frozen=True)
class RenderedFrame:
    """One frame and what is true about it.

    Attributes:
        image: (H, W, 3) RGB uint8.
        keypoints: (N, K, 2) image pixels, the same people in the same order in every frame.
        visibility: (N, K) as in COCO: 2 seen, 1 hidden, 0 outside of the image.
        torso: (N,) length of the torso in pixels, from the middle of the hips to that of the shoulders when upright.
    """

    image: np.ndarray
    keypoints: np.ndarray
    visibility: np.ndarray
    torso: np.ndarray


@dataclass(frozen=True)
class Actor:
    """A person of the clip: place and posture at each time.

    Attributes:
        look: clothes, skin, hair.
        act: frame number -> (posture, place), both in units of the clip's size.
    """

    look: Look
    act: Callable[[int], tuple[Posture, Place]]


def rendered_clip(frames: int = FRAMES, size_wh: tuple[int, int] = SIZE_WH, seed: int = 0) -> Iterator[RenderedFrame]:
    """Yield the frames of the clip, the same for the same arguments.

    Args:
        frames: how many.
        size_wh: width and height in pixels.
        seed: of the clothes, colours and background.
    """
    rng = np.random.default_rng(seed)
    textures = [smooth_noise(rng, coarse=coarse) for coarse in (16, 32, 64, 32)]
    background = street(size_wh, rng)
    planter = foreground_planter(size_wh, rng)
    actors = cast(size_wh, looks(np.random.default_rng([seed, 1])))  # the same clothes at any size
    grain = [rng.normal(0, 2.2, (size_wh[1], size_wh[0], 1)).astype(np.float32) for _ in range(4)]
    for time in range(frames):
        canvas = Canvas(background, textures)
        staged = [actor.act(time) for actor in actors]
        for _, place in staged:
            _paint_shadow(canvas, place)
        keypoints = [np.zeros(0)] * len(actors)
        depth_order = sorted(range(len(actors)), key=lambda index: staged[index][1].foot_xy[1])
        for index in depth_order:
            if index == depth_order[-1]:  # the planter stands in front of everybody but the nearest
                canvas.blend(planter.window, planter.color, planter.alpha, LABELS_PER_PERSON * (len(actors) + 2))
            keypoints[index] = paint_person(canvas, index + 1, actors[index].look, *staged[index])
        visible = [seen_keypoints(canvas, index + 1, xy, staged[index][1].yaw) for index, xy in enumerate(keypoints)]
        image = cv2.GaussianBlur(canvas.image, (3, 3), 0.55) + grain[time % len(grain)]
        torso = np.array([0.29 * place.height for _, place in staged])
        yield RenderedFrame(np.clip(image, 0, 255).astype(np.uint8), np.array(keypoints), np.array(visible), torso)


def cast(size_wh: tuple[int, int], wear: list[Look]) -> list[Actor]:
    """The people of the clip: two walk past each other, one waves, one swings the arms, one stands behind a planter."""
    width, height = size_wh

    def place(x: float, ground: float, tall: float, yaw: float) -> Place:
        return Place((x * width, ground * height), tall * (ground - HORIZON) * GROUND * height, yaw)

    def walker(start: float, ground: float, tall: float, direction: int, phase: float) -> Callable[[int], tuple[Posture, Place]]:
        def act(time: int) -> tuple[Posture, Place]:
            cycles = time / GAIT_FRAMES
            moved = direction * cycles * STEP_PER_CYCLE * tall * (ground - HORIZON) * GROUND * height / width
            return walking(cycles + phase), place(start + moved, ground, tall, direction * 1.15)
        return act

    def standing(
        x: float, ground: float, tall: float, yaw: float, posture: Callable[[float], Posture], period: float
    ) -> Callable[[int], tuple[Posture, Place]]:
        return lambda time: (posture(time / period), place(x, ground, tall, yaw))

    return [
        Actor(wear[0], walker(0.06, 0.93, 1.0, 1, 0.0)),
        Actor(wear[1], walker(0.97, 0.87, 0.95, -1, 0.3)),
        Actor(wear[2], standing(0.84, 0.94, 1.02, -0.25, waving, 20.0)),
        Actor(wear[3], standing(0.46, 0.78, 1.0, 0.15, arms_raised, 30.0)),
        Actor(wear[4], standing(0.2, 0.81, 0.97, 0.5, using_phone, 60.0)),
    ]


def _paint_shadow(canvas: Canvas, place: Place) -> None:
    """Darken the ground round the feet, away from the sun."""
    x, y = place.foot_xy
    half = np.array([0.3, 0.055]) * place.height
    center = np.array([x + 0.12 * place.height, y + 0.005 * place.height])
    window = canvas.window(center - half, center + half)
    if window is None:
        return
    ys, xs = np.ogrid[window]
    distance = ((xs - center[0]) / half[0]) ** 2 + ((ys - center[1]) / half[1]) ** 2
    canvas.image[window] *= 1 - 0.5 * np.clip(1 - distance, 0, 1)[..., None].astype(np.float32)
