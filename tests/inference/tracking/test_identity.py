"""IDF1 and identity switches: by hand, and against motmetrics where it is installed."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.geometry.boxes import iou_matrix
from ppdet.inference.tracking.identity import identity_score


def frame(**people: float) -> tuple[np.ndarray, np.ndarray]:
    """Identities (p1=x, ...) with boxes of 10 x 20 at x."""
    boxes = np.array([[x, 0, x + 10, 20] for x in people.values()], float).reshape(-1, 4)
    return np.array([int(name[1:]) for name in people], int), boxes


def test_by_hand() -> None:
    truth = [frame(p1=0, p2=100)] * 10
    assert identity_score(truth, truth).idf1 == 1.0 and identity_score(truth, truth).switches == 0
    swapped = [frame(p1=0, p2=100)] * 6 + [frame(p2=0, p1=100)] * 4
    score = identity_score(truth, swapped)
    assert score.idf1 == pytest.approx(0.6) and score.switches == 2
    split = [frame(p1=0, p2=100)] * 5 + [frame(p3=0, p2=100)] * 5
    score = identity_score(truth, split)
    assert score.idf1 == pytest.approx(0.75) and (score.switches, score.identities, score.people) == (1, 3, 2)
    missed = [frame(p1=0)] * 10
    assert identity_score(truth, missed).idf1 == pytest.approx(2 / 3) and identity_score(truth, missed).switches == 0
    nobody = [frame()] * 10
    assert identity_score(nobody, nobody).idf1 == 1.0 and identity_score(truth, nobody).idf1 == 0.0


def test_as_motmetrics() -> None:
    motmetrics = pytest.importorskip("motmetrics")
    rng = np.random.default_rng(0)
    truth, found = [], []
    names = np.arange(1, 7)
    for _ in range(60):
        boxes = np.array([[60.0 * i, 0, 60.0 * i + 30, 60] for i in range(6)]) + rng.normal(0, 4, (6, 4))
        truth.append((np.arange(1, 7), boxes))
        if rng.random() < 0.2:
            names = rng.permutation(9)[:6] + 1
        seen = rng.random(6) > 0.15
        found.append((names[seen].copy(), boxes[seen] + rng.normal(0, 5, (seen.sum(), 4))))
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for (true_ids, true_boxes), (ids, boxes) in zip(truth, found):
        distance = 1 - iou_matrix(true_boxes, boxes)  # motmetrics' own needs NumPy 1
        accumulator.update(true_ids, ids, np.where(distance > 0.5, np.nan, distance))
    expected = motmetrics.metrics.create().compute(accumulator, metrics=["idf1", "num_switches"], name="a").loc["a"]
    score = identity_score(truth, found)
    assert score.idf1 == pytest.approx(expected["idf1"]) and score.switches == expected["num_switches"]
