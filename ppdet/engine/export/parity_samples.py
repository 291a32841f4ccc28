"""Images and boxes to compare engines on: people of the evaluation data, or drawn figures if that is missing.

Axes: N boxes, H W pixels.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ppdet.core.errors import DataError, PpdetError
from ppdet.engine.assembly import Assembly
from ppdet.engine.tasks.base import Sample
from ppdet.image.io import read_image

SIZE = (240, 320)


def parity_samples(assembly: Assembly, count: int) -> tuple[list[Sample], str]:
    """`count` samples, or as many as the task makes of them, and a description of their origin.

    Every third sample has four boxes, so that the engines run batches of several sizes.
    """
    try:
        samples = _real(assembly, count)
    except PpdetError:  # no dataset on this machine; an export does not need it
        samples = []
    origin = "images of the EvalDataset"
    if not samples:
        samples, origin = [_drawn(seed) for seed in range(count)], "drawn figures (the EvalDataset is not on this machine)"
    samples = [(image, _more_boxes(boxes, row) if row % 3 == 0 else boxes) for row, (image, boxes) in enumerate(samples)]
    return assembly.task.parity_samples(samples), origin


def calibration_samples(assembly: Assembly, folder: str | Path | None, count: int) -> tuple[list[Sample], str]:
    """Images and boxes to calibrate 8 bits on, and a description of their origin.

    Args:
        assembly: of the config.
        folder: of images, each with one person that fills it; None for the TrainDataset, the EvalDataset, or drawn figures.
        count: at most this many.

    Raises:
        DataError: the folder holds no readable image.
    """
    if folder is not None:
        return assembly.task.parity_samples(_of_folder(Path(folder), count)), f"images of {folder}"
    for role in ("Train", "Eval"):
        try:
            samples = _real(assembly, count, role)
        except PpdetError:
            samples = []
        if samples:
            return assembly.task.parity_samples(samples), f"images of the {role}Dataset"
    return assembly.task.parity_samples([_drawn(seed) for seed in range(count)]), "drawn figures (no dataset is on this machine)"


def _of_folder(folder: Path, count: int) -> list[Sample]:
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".bmp"))
    samples = []
    for path in files[:: max(1, len(files) // count)][:count]:
        try:
            image = read_image(path)
        except PpdetError:
            continue
        height, width = image.shape[:2]
        samples.append((image, np.array([[0, 0, width, height]], np.float64)))
    if not samples:
        raise DataError(f"--calibration {folder}: none of its images can be read; give a folder of JPEG or PNG files of people")
    return samples


def _real(assembly: Assembly, count: int, role: str = "Eval") -> list[Sample]:
    if f"{role}Dataset" not in assembly.config:
        return []
    dataset = assembly.dataset(role)
    dataset.parse()
    rows = np.linspace(0, len(dataset) - 1, min(count, len(dataset))).astype(int)
    samples = []
    for row in rows.tolist():
        sample = dataset.load(row, np.random.default_rng(row))
        samples.append((np.asarray(sample.image), assembly.task.sample_boxes(sample)))
    return samples


def _more_boxes(boxes: np.ndarray, seed: int) -> np.ndarray:
    if not len(boxes):
        return boxes
    size = np.tile(boxes[0, 2:] - boxes[0, :2], 2)
    jitter = np.random.default_rng(seed).uniform(-0.1, 0.1, (3, 4)) * size
    return np.concatenate([boxes[:1], boxes[0] + jitter])


def _drawn(seed: int) -> Sample:
    """A figure made of ellipses on a smooth background, which has edges, colours and limbs."""
    rng = np.random.default_rng(seed)
    width, height = SIZE
    coarse = rng.integers(60, 200, (6, 5, 3)).astype(np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    x, top, tall = width // 2 + int(rng.integers(-20, 20)), 40, 240
    skin, cloth = (tuple(int(v) for v in rng.integers(30, 230, 3)) for _ in range(2))

    def place(dx: float, dy: float) -> tuple[int, int]:
        return int(x + dx * tall), int(top + dy * tall)

    for dx, dy, rx, ry, colour in ((0, 0.08, 0.05, 0.075, skin), (0, 0.33, 0.1, 0.17, cloth)):
        cv2.ellipse(image, place(dx, dy), (int(rx * tall), int(ry * tall)), 0, 0, 360, colour, -1)
    bend = rng.uniform(-0.08, 0.08, 4)
    for side, (first, second) in ((-1, bend[:2]), (1, bend[2:])):
        limb = [(side * 0.1, 0.2), (side * (0.16 + first), 0.36), (side * (0.15 + second), 0.5)]
        legs = [(side * 0.06, 0.48), (side * (0.07 + second), 0.72), (side * (0.06 + first), 0.96)]
        for chain, thickness in ((limb, 12), (legs, 16)):
            for start, end in zip(chain, chain[1:]):
                cv2.line(image, place(*start), place(*end), skin if chain is limb else cloth, thickness, cv2.LINE_AA)
    return image, np.array([[x - 0.22 * tall, top, x + 0.22 * tall, top + tall]], np.float64)
