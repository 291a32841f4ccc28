"""What goes into and comes out of the decoders of ONNX layouts.

Legend: N images, A candidates of an image, C classes, K keypoints. All coordinates are pixels of the network input.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ppdet.core.errors import ModelDirError
from ppdet.inference.onnx_models.settings import OnnxSettings


@dataclass(frozen=True)
class Candidates:
    """Boxes of one image, before or after NMS.

    Attributes:
        boxes: (A, 4) x1, y1, x2, y2.
        scores: (A, C) per class if NMS is still to be done, else (A,).
        labels: (A,) class numbers after NMS, else None.
        keypoints: (A, K, 2), of pose models.
        keypoint_scores: (A, K), of pose models.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray | None = None
    keypoints: np.ndarray | None = None
    keypoint_scores: np.ndarray | None = None

    def __getitem__(self, rows: Any) -> Candidates:
        """Those selected by a mask, a slice or an index array."""
        return Candidates(*(None if each is None else each[rows] for each in (
            self.boxes, self.scores, self.labels, self.keypoints, self.keypoint_scores)))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Outputs:
    """One run of a network.

    Attributes:
        arrays: name -> array, in the graph's order.
        settings: the layout and what belongs to it.
        batch: number of images.
    """

    arrays: Mapping[str, np.ndarray]
    settings: OnnxSettings
    batch: int

    @property
    def input_wh(self) -> tuple[int, int]:
        """Size of the network input."""
        return self.settings.input_wh

    def first(self, rank: int) -> np.ndarray:
        """The first output, which must have so many axes."""
        return self._checked(next(iter(self.arrays.values())), rank)

    def named(self, *parts: str, rank: int | None = None) -> np.ndarray:
        """The output whose name has one of these parts; the earlier part wins.

        Raises:
            ModelDirError: there is none, or it has another number of axes.
        """
        for part in parts:
            for name, array in self.arrays.items():
                if part in name.lower():
                    return array if rank is None else self._checked(array, rank)
        raise self.mismatch(f"no output is called {' or '.join(parts)}")

    def mismatch(self, why: str) -> ModelDirError:
        """The error of outputs that do not fit the layout."""
        shapes = ", ".join(f"{name} {tuple(array.shape)}" for name, array in self.arrays.items())
        return ModelDirError(f"the outputs do not fit layout {self.settings.layout} ({self.settings.spec.outputs}): {why}; the "
                             f"network gives {shapes}. Put `layout` and sizes in the card right, see docs/any_model.md")

    def _checked(self, array: np.ndarray, rank: int) -> np.ndarray:
        if array.ndim != rank:
            raise self.mismatch(f"{rank} axes are expected")
        return np.asarray(array, np.float32)


def xyxy_from_centers(boxes: np.ndarray) -> np.ndarray:
    """(..., 4) boxes of centre and size to two corners."""
    center, half = boxes[..., :2], boxes[..., 2:4] / 2
    return np.concatenate([center - half, center + half], axis=-1)


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Logistic function, without overflow."""
    return 1 / (1 + np.exp(-np.clip(values, -60, 60)))


def grid_of(outputs: Outputs, strides: tuple[int, ...], rows: int, offset: float) -> tuple[np.ndarray, np.ndarray]:
    """Points and strides of all levels.

    Args:
        outputs: for the input size.
        strides: of the levels.
        rows: how many candidates the network gives.
        offset: of a point from its cell's corner, in cells.

    Returns:
        (A, 2) points xy in cells, and (A, 1) strides.

    Raises:
        ModelDirError: the levels have another number of cells.
    """
    width, height = outputs.input_wh
    points, sizes = [], []
    for stride in strides:
        ys, xs = np.mgrid[: -(-height // stride), : -(-width // stride)]
        points.append(np.stack([xs.ravel(), ys.ravel()], axis=1) + offset)
        sizes.append(np.full((xs.size, 1), stride))
    grid = np.concatenate(points).astype(np.float32)
    if len(grid) != rows:
        raise outputs.mismatch(f"strides {', '.join(map(str, strides))} have {len(grid)} cells in an input of {width} x {height}")
    return grid, np.concatenate(sizes).astype(np.float32)
