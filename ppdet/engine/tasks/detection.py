"""Box AP of a detector: the deployed form's detector over every image of the annotation file."""

from __future__ import annotations

from typing import Any, Iterable, Iterator

import numpy as np

from ppdet.core.errors import DataError, MediaError
from ppdet.engine import distributed
from ppdet.engine.tasks.deployed_form import deployed_form
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.estimators.detector import BoxDetector

BATCH_SIZE = 8


def box_detector(assembly: Any, model: Any) -> BoxDetector:
    """The detector of a config run by the framework, suppression outside the graph."""
    form = deployed_form(assembly, model, post_process=True, nms=False)
    return BoxDetector(form.runtime(), form.card, batch_size=BATCH_SIZE)


def collect_boxes(detector: BoxDetector, dataset: Any, metric: Any, bad: list[tuple[str, str]]) -> Iterator[int]:
    """Run the detector over this process's share of a dataset and feed the metric.

    Args:
        detector: finds the boxes.
        dataset: sequence with `describe(index)` and `load(index, rng)` (`ppdet.data.sources.image_dataset`).
        metric: box metric.
        bad: images that cannot be read are appended as (path, reason).

    Yields:
        Number of images looked at so far.
    """
    rows = distributed.share(len(dataset), distributed.rank(), distributed.world_size())
    done = 0
    for start in range(0, len(rows), BATCH_SIZE):
        samples = list(_readable(dataset, rows[start : start + BATCH_SIZE], bad))
        if samples:
            found = detector.detect([sample.image for sample in samples])
            metric.update(_rows([sample.image_id for sample in samples], found))
        done += len(samples)
        yield done


def _readable(dataset: Any, rows: Iterable[int], bad: list[tuple[str, str]]) -> Iterator[Any]:
    for row in rows:
        try:
            yield dataset.load(row, np.random.default_rng(row))
        except (MediaError, DataError) as error:
            bad.append((str(dataset.image_path(row)), str(error)))


def _rows(image_ids: list[Any], found: list[Detections]) -> dict[str, np.ndarray]:
    counts = [len(each) for each in found]
    return {
        "evaluated": np.array(image_ids),
        "image_id": np.repeat(np.array(image_ids), counts),
        "boxes": np.concatenate([each.boxes_xyxy for each in found]),
        "scores": np.concatenate([each.scores for each in found]),
        "labels": np.concatenate([each.labels for each in found]),
    }
