"""How the rows of reduced precisions are judged, and that the table names file and precision."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.engine.export.parity import EngineResult, ParityReport
from ppdet.engine.tasks.difference import Difference
from ppdet.engine.tasks.table import task_of_kind


@pytest.mark.parametrize(
    ("precision", "figures", "status"),
    [
        ("int8", {"oks": 0.96, "max_px": 30.0}, "ok"),
        ("int8", {"oks": 0.94}, "differs"),
        ("fp16", {"oks": 0.96}, "differs"),
        ("fp16", {"mean_px": 0.4, "unmatched": 2}, "ok"),
        ("fp16", {"mean_px": 0.6}, "differs"),
        ("bf16", {"mean_px": 0.1, "unmatched": 3}, "differs"),
        ("fp32", {"oks": 1.0, "max_px": 0.06}, "differs"),
    ],
)
def test_judging(precision: str, figures: dict, status: str) -> None:
    row = EngineResult.of("engine", "it", Difference(compared=20, **figures), precision, "model.onnx")
    assert row.status == status
    report = ParityReport("m", 8, "images", [row])
    assert f"| engine | {status} | {precision} | model.onnx |" in report.to_markdown()
    assert (precision == "fp32") == (precision not in report.to_dict()["tolerance"])


def test_oks_of_the_poses() -> None:
    compare = task_of_kind("top_down").compare
    xy, scores = np.array([[[10.0, 10.0], [50.0, 80.0]]]), np.array([[0.9, 0.8]])
    sigmas, area = np.array([0.05, 0.1]), np.array([10_000.0])
    same = compare([(xy, scores, area, sigmas)], [(xy, scores, area, sigmas)])
    assert same.oks == 1.0
    moved = xy.copy()
    moved[0, 0, 0] += 10.0  # one constant of this keypoint: 2 * .05 * 100 pixels
    assert compare([(xy, scores, area, sigmas)], [(moved, scores, area, sigmas)]).oks == pytest.approx((np.exp(-0.5) + 1) / 2)
    assert compare([(xy, scores * 0.1, area, sigmas)], [(moved, scores * 0.1, area, sigmas)]).oks is None
    assert compare([(xy, scores)], [(xy, scores)]).oks is None
