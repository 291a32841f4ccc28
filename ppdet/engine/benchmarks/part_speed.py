"""Times the parts of the pipeline that run beside the networks, on synthetic people: crops, DARK decoding, OKS-NMS, drawing.

Legend: N people, K keypoints.
"""

from __future__ import annotations

from typing import Any, Callable, Iterator

import numpy as np

from ppdet.codecs import HeatmapCodec
from ppdet.core.errors import ConfigError
from ppdet.engine.benchmarks.thread_time import median_ms
from ppdet.geometry.oks import oks_nms
from ppdet.image.normalize import Normalization
from ppdet.skeletons import get_skeleton
from ppdet.visualize.pose_drawer import PoseDrawer

HEADER = ["part", "people", "ms", "ms per person"]
#: Full HD, and heights of people in it.
FRAME_WH, HEIGHTS = (1920, 1080), (250, 600)
CODEC = HeatmapCodec(input_wh=(96, 128), heatmap_wh=(24, 32), sigma=1.0, decoder="dark")
NORMALIZATION = Normalization.from_operation(
    {"type": "NormalizeImage", "is_scale": True, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
)
SKELETON = get_skeleton("coco17")
# A standing person: x and y of the keypoints of coco17 from 0 to 1, of a box half as wide as high.
STANDING = np.array([
    [0.50, 0.06], [0.54, 0.04], [0.46, 0.04], [0.60, 0.06], [0.40, 0.06], [0.72, 0.20], [0.28, 0.20], [0.86, 0.36], [0.14, 0.36],
    [0.90, 0.50], [0.10, 0.50], [0.64, 0.52], [0.36, 0.52], [0.66, 0.74], [0.34, 0.74], [0.68, 0.96], [0.32, 0.96],
])  # fmt: skip


def part_rows(repeats: int = 30) -> Iterator[list[str]]:
    """Rows (part, people, ms, ms per person): medians of one thread's processor time.

    Raises:
        ConfigError: a number of repeats below 1.
    """
    if repeats < 1:
        raise ConfigError(f"--repeats is {repeats}: give a number from 1 on")
    rng = np.random.default_rng(0)
    for name, prepare, counts in PARTS:
        for count in counts:
            run = prepare(count, rng)
            run()
            taken = median_ms(run, repeats if count < 1000 else min(repeats, 5))
            yield [name, str(count), f"{taken:.2f}", f"{taken / count:.3f}"]


def _cropping(count: int, rng: np.random.Generator) -> Callable[[], Any]:
    frame, crops = _frame(rng), CODEC.crop_for_boxes(people(count, rng)[1])
    return lambda: NORMALIZATION.planes(CODEC.extract(frame, crops))


def _decoding(count: int, rng: np.random.Generator) -> Callable[[], Any]:
    maps, crops = _maps(count, rng), CODEC.crop_for_boxes(people(count, rng)[1])
    return lambda: CODEC.decode(maps, crops)


def _suppression(count: int, rng: np.random.Generator) -> Callable[[], Any]:
    keypoints, boxes = people(count, rng)
    areas, scores = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), rng.random(count)
    return lambda: oks_nms(keypoints, scores, areas, np.asarray(SKELETON.sigmas))


def _drawing(count: int, rng: np.random.Generator) -> Callable[[], Any]:
    frame, drawer, (keypoints, boxes) = _frame(rng), PoseDrawer(SKELETON), people(count, rng)
    scores, identities = np.ones(keypoints.shape[:2]), np.arange(1, count + 1)
    return lambda: drawer.draw(frame, keypoints, scores, 0.5, boxes, identities, in_place=True)


PARTS = (
    ("crop 128x96 and normalise", _cropping, (1, 8)),
    ("decode heatmaps (DARK)", _decoding, (1, 8, 1000)),
    ("OKS-NMS", _suppression, (5, 20, 100)),
    ("draw on 1920x1080", _drawing, (1, 10)),
)
"""What is timed, and for how many people."""


def _frame(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 255, (FRAME_WH[1], FRAME_WH[0], 3), np.uint8)


def people(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(N, K, 2) keypoints of people of different sizes in a frame, and their (N, 4) boxes."""
    heights = np.linspace(*HEIGHTS, count)
    sizes = np.stack([heights / 2, heights], axis=1)
    corners = rng.random((count, 2)) * (np.array(FRAME_WH) - sizes)
    keypoints = corners[:, None] + (STANDING + rng.normal(0, 0.02, (count, *STANDING.shape))) * sizes[:, None]
    return keypoints, np.concatenate([corners, corners + sizes], axis=1)


def _maps(count: int, rng: np.random.Generator) -> np.ndarray:
    """Heatmaps with a peak for each keypoint and some noise."""
    inside = np.array(CODEC.input_wh) * (0.1 + 0.8 * STANDING) + rng.normal(0, 2, (count, *STANDING.shape))
    maps, _ = CODEC.encode(inside, np.ones(inside.shape[:2]))
    return np.asarray(maps + rng.random(maps.shape) * 0.02, np.float32)
