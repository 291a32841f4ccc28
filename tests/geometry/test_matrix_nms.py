"""Matrix NMS against its definition, one pair at a time."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import numpy as np
import pytest

from ppdet.geometry import matrix_nms as module
from ppdet.geometry.matrix_nms import matrix_nms

SETTINGS: Dict[str, Any] = {
    "score_threshold": 0.05, "post_threshold": 0.02, "nms_top_k": -1, "keep_top_k": -1, "use_gaussian": False,
    "gaussian_sigma": 2.0, "normalized": True, "background_label": -1,
}  # fmt: skip


def scene(count: int, classes: int = 2, seed: int = 0) -> Tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 60, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(5, 50, (count, 2))], axis=1).astype(np.float32), rng.uniform(
        0, 1, (count, classes)
    ).astype(np.float32)


def overlap(a: np.ndarray, b: np.ndarray, extra: float) -> float:
    width, height = (min(a[i + 2], b[i + 2]) - max(a[i], b[i]) for i in (0, 1))
    if width < 0 or height < 0:
        return 0.0
    common = (width + extra) * (height + extra)
    areas = [(box[2] - box[0] + extra) * (box[3] - box[1] + extra) for box in (a, b)]
    return float(common / (areas[0] + areas[1] - common))


def by_definition(boxes: np.ndarray, scores: np.ndarray, settings: Dict[str, Any]) -> List[Tuple[int, int, float]]:
    found, extra = [], 0.0 if settings["normalized"] else 1.0
    for label in range(scores.shape[1]):
        if label == settings["background_label"]:
            continue
        order = [i for i in np.argsort(-scores[:, label], kind="stable") if scores[i, label] > settings["score_threshold"]]
        order = order[: settings["nms_top_k"]] if settings["nms_top_k"] > -1 else order
        most: List[float] = []
        for rank, i in enumerate(order):
            overlaps = [overlap(boxes[i], boxes[j], extra) for j in order[:rank]]
            most.append(max(overlaps, default=0.0))
            if settings["use_gaussian"]:
                decays = [float(np.exp(settings["gaussian_sigma"] * (m * m - o * o))) for m, o in zip(most, overlaps)]
            else:
                decays = [(1 - o) / (1 - m) for m, o in zip(most, overlaps)]
            score = float(scores[i, label]) * min(1.0, *decays, 1.0)
            if score > settings["post_threshold"]:
                found.append((int(i), label, score))
    found.sort(key=lambda each: -each[2])
    return found[: settings["keep_top_k"]] if settings["keep_top_k"] > -1 else found


@pytest.mark.parametrize(
    "changed",
    [{}, {"use_gaussian": True}, {"normalized": False}, {"nms_top_k": 7}, {"keep_top_k": 9}, {"background_label": 1}],
    ids=str,
)
@pytest.mark.parametrize("block", [4, 256])
def test_as_defined(changed: Dict[str, Any], block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    settings = {**SETTINGS, **changed}
    boxes, scores = scene(50)
    expected = by_definition(boxes, scores, settings)
    rows, labels, lowered = matrix_nms(boxes, scores, settings)
    assert list(zip(rows.tolist(), labels.tolist())) == [each[:2] for each in expected]
    np.testing.assert_allclose(lowered, [each[2] for each in expected], rtol=1e-4)


def test_it_stops_when_no_other_box_can_be_among_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes, scores = scene(4000, classes=1)
    boxes += np.arange(4000, dtype=np.float32)[:, None] * 100  # far apart: no score is lowered
    sizes: List[int] = []
    plain = module._iou
    monkeypatch.setattr(module, "_iou", lambda a, b, extra: sizes.append(len(b)) or plain(a, b, extra))
    rows, _, lowered = matrix_nms(boxes, scores, {**SETTINGS, "keep_top_k": 100})
    assert rows.tolist() == np.argsort(-scores[:, 0], kind="stable")[:100].tolist() and sizes == [module.BLOCK]
    np.testing.assert_array_equal(lowered, np.sort(scores[:, 0])[::-1][:100])


def test_nothing_above_the_threshold() -> None:
    boxes, scores = scene(5)
    rows, labels, lowered = matrix_nms(boxes, scores * 0, SETTINGS)
    assert len(rows) == len(labels) == len(lowered) == 0
    rows, _, _ = matrix_nms(boxes[:0], scores[:0], SETTINGS)
    assert len(rows) == 0


def test_copies_of_a_box_vanish() -> None:
    boxes = np.array([[0, 0, 10, 10]] * 3 + [[50, 50, 60, 60]], np.float32)
    rows, _, lowered = matrix_nms(boxes, np.array([[0.9], [0.8], [0.7], [0.6]], np.float32), SETTINGS)
    assert rows.tolist() == [0, 3] and lowered.tolist() == pytest.approx([0.9, 0.6])
