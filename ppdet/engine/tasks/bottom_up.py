"""Keypoint AP of a bottom-up model: every image of the annotation file, whole, one after the other."""

from __future__ import annotations

from typing import Any, Iterator

import numpy as np

from ppdet.core.errors import DataError, MediaError
from ppdet.engine import distributed
from ppdet.inference.estimators.bottom_up import BottomUpEstimator
from ppdet.inference.video.background import BackgroundSource


def collect_bottom_up(estimator: BottomUpEstimator, dataset: Any, metric: Any, bad: list[tuple[str, str]]) -> Iterator[int]:
    """Find the people in this process's share of a dataset and feed the metric; images are read ahead in a thread.

    Args:
        estimator: finds the people.
        dataset: sequence with `load(index, rng)` and `image_path(index)`; every image once, those without people, too.
        metric: takes rows `image_id` (P,), `keypoints` (P, K, 3), `score` (P,), and `evaluated`, the image's id.
        bad: images that cannot be read are appended as (path, reason).

    Yields:
        Number of people of each image that was read.
    """
    samples = BackgroundSource(_readable(dataset, bad))
    try:
        for sample in samples:
            found = estimator.people(np.ascontiguousarray(sample.image))
            metric.update(
                {
                    "evaluated": np.array([sample.image_id]),
                    "image_id": np.repeat(np.array([sample.image_id]), len(found.boxes)),
                    "keypoints": np.concatenate([found.keypoints, found.scores[..., None]], axis=2),
                    "score": np.asarray(found.box_scores, np.float64),
                }
            )
            yield len(found.boxes)
    finally:
        samples.close()


def _readable(dataset: Any, bad: list[tuple[str, str]]) -> Iterator[Any]:
    for row in distributed.share(len(dataset), distributed.rank(), distributed.world_size()):
        try:
            yield dataset.load(row, np.random.default_rng(row))
        except (MediaError, DataError) as error:
            bad.append((str(dataset.image_path(row)), str(error)))
