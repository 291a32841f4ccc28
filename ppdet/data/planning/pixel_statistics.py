"""Brightness of the training images, to decide how the network's input is normalised."""

from __future__ import annotations

from pathlib import Path
from typing import List, Optional, Sequence, Tuple

import cv2
import numpy as np

from ppdet.core.errors import MediaError
from ppdet.data.planning.choice import Choice
from ppdet.image.io import read_image
from ppdet.image.normalize import IMAGENET_MEAN, IMAGENET_STD

SAMPLED = 40
SMALL_SIDE = 128
MEAN_OFF, LEAST_STD = 0.18, 0.15
GREY = 2.0 / 255

Statistics = Tuple[List[float], List[float]]


def plan_normalization(folder: Path, names: Sequence[str], seed: int = 0) -> Choice[Statistics]:
    """Mean and deviation per channel (red, green, blue; 0 to 1): ImageNet's, as for the initial weights, unless the images
    are far from those.

    Args:
        folder: of the images.
        names: files in it.
        seed: of the sample.
    """
    measured = _measure(folder, names, seed)
    imagenet = ([float(v) for v in IMAGENET_MEAN], [float(v) for v in IMAGENET_STD])
    if measured is None:
        return Choice(imagenet, "ImageNet's: none of the images could be read to measure theirs")
    mean, std, grey = measured
    shown = f"{'grey, ' if grey else ''}mean {np.mean(mean):.2f}, deviation {np.mean(std):.2f}"
    if abs(np.mean(mean) - np.mean(IMAGENET_MEAN)) > MEAN_OFF or np.mean(std) < LEAST_STD:
        own = [round(float(v), 3) for v in mean], [round(max(float(v), 0.02), 3) for v in std]
        return Choice(
            own, f"measured here ({shown}), far from ImageNet's: now the images have the contrast that the initial weights expect"
        )
    return Choice(imagenet, f"ImageNet's, which the initial weights were trained with; measured here: {shown}")


def _measure(folder: Path, names: Sequence[str], seed: int) -> Optional[Tuple[np.ndarray, np.ndarray, bool]]:
    order = np.random.default_rng(seed).permutation(len(names))[:SAMPLED]
    pixels = []
    for row in order.tolist():
        try:
            image = read_image(folder / names[row])
        except MediaError:
            continue
        scale = SMALL_SIDE / max(image.shape[:2])
        size = tuple(max(1, round(side * min(1.0, scale))) for side in image.shape[1::-1])
        pixels.append(cv2.resize(image, size, interpolation=cv2.INTER_AREA).reshape(-1, 3).astype(np.float64) / 255)
    if not pixels:
        return None
    every = np.concatenate(pixels)
    return every.mean(axis=0), every.std(axis=0), bool(np.ptp(every, axis=1).max() < GREY)
