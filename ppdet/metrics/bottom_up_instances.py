"""Table of predicted people of whole images: any number per image, each image at most once.

Axes: P people, E evaluated images, K keypoints.
"""

from __future__ import annotations

from typing import Mapping

import numpy as np

from ppdet.core.errors import DataError


class BottomUpInstances:
    """Growing table of people; images are row numbers of the annotation file.

    Args:
        num_keypoints: K of every person.

    Attributes:
        not_finite: number of people left out because of NaN or infinite values (a diverged model).
    """

    def __init__(self, num_keypoints: int) -> None:
        self._num_keypoints = num_keypoints
        self._images: set[int] = set()
        self._image, self._keypoints, self._score = [], [], []  # type: ignore[var-annotated]
        self.not_finite = 0

    def __len__(self) -> int:
        return sum(map(len, self._image))

    @property
    def num_images(self) -> int:
        """Number of evaluated images, with or without people."""
        return len(self._images)

    def add(self, image: np.ndarray, keypoints: np.ndarray, score: np.ndarray, evaluated: np.ndarray) -> None:
        """Append people, except those of images that were added before (distributed samplers may repeat images).

        Args:
            image: (P,) int; all people of an image must be in one call.
            keypoints: (P, K, 3) x, y, score.
            score: (P,).
            evaluated: (E,) int, evaluated images.

        Raises:
            DataError: the shapes of the arrays do not fit.
        """
        image, evaluated = np.asarray(image, np.int64).reshape(-1), np.asarray(evaluated, np.int64).reshape(-1)
        people, shape = len(image), (len(image), self._num_keypoints, 3)
        points, scores = np.asarray(keypoints, np.float32), np.asarray(score, np.float64).reshape(-1)
        if points.size != people * self._num_keypoints * 3 or len(scores) != people:
            raise DataError(
                f"predictions: keypoints {points.shape} and score {scores.shape} do not fit {people} image ids; "
                f"expected {shape} and ({people},)."
            )
        points = points.reshape(shape)
        looked_at = set(evaluated.tolist()) | set(image.tolist())
        fresh = np.isin(image, list(looked_at - self._images))
        finite = np.isfinite(points).all(axis=(1, 2)) & np.isfinite(scores)
        self.not_finite += int((fresh & ~finite).sum())
        self._images |= looked_at
        kept = fresh & finite
        self._image.append(image[kept])
        self._keypoints.append(points[kept])
        self._score.append(scores[kept])

    def arrays(self) -> dict[str, np.ndarray]:
        """image_id (P,), keypoints (P, K, 3), score (P,) and evaluated (E,), sorted by image."""
        image = np.concatenate([np.zeros(0, np.int64), *self._image])
        order = np.argsort(image, kind="stable")
        return {
            "image_id": image[order],
            "keypoints": np.concatenate([np.zeros((0, self._num_keypoints, 3), np.float32), *self._keypoints])[order],
            "score": np.concatenate([np.zeros(0), *self._score])[order],
            "evaluated": np.array(sorted(self._images), np.int64),
            "not_finite": np.array(self.not_finite),
        }

    def merge(self, state: Mapping[str, np.ndarray]) -> None:
        """Add the `arrays()` of another process."""
        self.add(state["image_id"], state["keypoints"], state["score"], state["evaluated"])
        self.not_finite += int(state["not_finite"])
