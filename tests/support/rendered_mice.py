"""Video-like frames of one mouse seen from above, with four known keypoints: for measuring what `dataset init` plans.

The mouse wanders over a littered floor and mostly heads left, as in a corridor that is filmed from above.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

NAMES = ("snout", "leftear", "rightear", "tailbase")
_BODY = ((46.0, 15.0), (30.0, 17.0), (10.0, 22.0), (-14.0, 25.0), (-34.0, 20.0), (-48.0, 9.0))
"""Along the mouse, and half its width there, in pixels of a mouse of size 1."""


def write_mice(
    folder: Path, count: int = 116, wh: tuple[int, int] = (640, 480), right: int = 3, seed: int = 0
) -> tuple[Path, Path]:
    """Write frames and a COCO file without boxes; returns the file and the folder of the frames.

    Args:
        folder: gets `images` and `annotations.json`.
        count: of frames.
        wh: of each.
        right: number of frames in which the mouse heads right.
        seed: of everything that is random.
    """
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    floor = _floor(rng, wh)
    turned = set(rng.choice(count, right, replace=False).tolist())
    images, annotations = [], []
    for number in range(count):
        frame, xy = _frame(rng, floor, wh, heads_right=number in turned)
        name = f"img{number * 20:04d}.png"
        cv2.imwrite(str(folder / "images" / name), frame)
        images.append({"id": number + 1, "file_name": name, "width": wh[0], "height": wh[1]})
        flat = [round(float(value), 2) for x, y in xy for value in (x, y, 2)]
        annotations.append({"id": number + 1, "image_id": number + 1, "category_id": 1, "iscrowd": 0, "keypoints": flat})
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "mouse", "keypoints": list(NAMES)}]}
    path = folder / "annotations.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path, folder / "images"


def _floor(rng: np.random.Generator, wh: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) float32: patches of light, bedding, and dark droppings about as bright as the mouse."""
    width, height = wh
    light = cv2.resize(rng.uniform(110, 190, (5, 7)).astype(np.float32), wh, interpolation=cv2.INTER_CUBIC)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 2)
    floor = light + 14 * grain / grain.std()
    for _ in range(60):
        x, y = rng.uniform(0, 1, 2) * wh
        cv2.ellipse(floor, ((x, y), (rng.uniform(4, 16), rng.uniform(3, 7)), rng.uniform(0, 180)), rng.uniform(40, 90), -1)
    return np.repeat(cv2.GaussianBlur(floor, (0, 0), 1)[..., None], 3, axis=2) * np.array([0.92, 0.97, 1.0], np.float32)


def _frame(rng: np.random.Generator, floor: np.ndarray, wh: tuple[int, int], heads_right: bool) -> tuple[np.ndarray, np.ndarray]:
    size = rng.uniform(0.9, 1.15)
    middle = np.array(wh) * rng.uniform([0.16, 0.2], [0.84, 0.8])
    heading = np.deg2rad((0 if heads_right else 180) + rng.normal(0, 28))
    bend = rng.normal(0, 0.35)  # radians from the middle of the body to the head

    def place(along: float, across: float) -> np.ndarray:
        turn = heading + bend * along / 50
        return middle + size * (
            along * np.array([np.cos(turn), np.sin(turn)])
            + across * np.array([-np.sin(heading + bend * along / 40), np.cos(turn)])
        )

    outline = [place(x, half) for x, half in _BODY] + [place(x, -half) for x, half in _BODY[::-1]]
    snout, tail = place(64, 0), place(-50, 0)
    left, right = place(38, -17), place(38, 17)  # image y points down: the mouse's left is at smaller across
    ink = np.zeros((wh[1], wh[0]), np.float32)
    head = np.array([place(30, 16), place(48, 13), snout, place(48, -13), place(30, -16)])
    for polygon in (np.array(outline), head):
        cv2.fillPoly(ink, [np.rint(polygon * 16).astype(np.int32)], 1.0, cv2.LINE_8, 4)
    ears = np.zeros_like(ink)
    for ear in (left, right):
        cv2.circle(ears, tuple(np.rint(ear * 16).astype(int).tolist()), int(7.5 * size * 16), 1.0, -1, cv2.LINE_8, 4)
    tail_end = [tail + size * t * 60 * np.array([np.cos(heading + np.pi + w * t), np.sin(heading + np.pi + w * t)])
                for w in [rng.normal(0, 0.8)] for t in np.linspace(0, 1, 9)]  # fmt: skip
    thin = np.zeros_like(ink)
    cv2.polylines(thin, [np.rint(np.array(tail_end) * 16).astype(np.int32)], False, 1.0, max(2, round(4 * size)), cv2.LINE_8, 4)
    frame = floor * np.float32(rng.uniform(0.9, 1.1))
    for mask, shade in ((thin, (130, 125, 140)), (ink, (48, 45, 42)), (ears, (78, 70, 76))):
        soft = cv2.GaussianBlur(mask, (0, 0), 1.6)[..., None]
        frame = frame * (1 - soft) + np.array(shade, np.float32) * soft
    frame += rng.normal(0, 5, frame.shape)
    return np.clip(frame, 0, 255).astype(np.uint8), np.array([snout, left, right, tail])
