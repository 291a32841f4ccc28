"""MOTA and IDF1: every frame counts, ignored people do not, sequences are apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ppdet.core.errors import DataError
from ppdet.metrics.tracking.mot import MOTMetric

pytest.importorskip("motmetrics")
BOX = [10.0, 10, 20, 40]


def sequence(folder: Path, frames: list[int], identities: list[int], total: int, truth: str, name: str = "a") -> dict:
    path = folder / f"{name}.txt"
    path.write_text(truth)
    count = len(frames)
    boxes = np.tile([BOX[0], BOX[1], BOX[0] + BOX[2], BOX[1] + BOX[3]], (count, 1)).reshape(-1, 4)
    rows = {"frame": np.array(frames, int), "identity": np.array(identities, int), "boxes": boxes, "scores": np.ones(count)}
    return {"name": name, "frames": total, "truth": str(path), **rows}


def truth(frames: int, extra: str = "") -> str:
    return "".join(f"{frame},7,{','.join(map(str, BOX))},1,1,1\n" for frame in range(1, frames + 1)) + extra


def test_frames_without_results_count_as_missed(tmp_path: Path) -> None:
    """PaddleDetection gives MOTA 1 to a tracker that has one right box in one of four frames (T1)."""
    metric = MOTMetric()
    metric.update(sequence(tmp_path, [2], [1], 4, truth(4)))
    figures = metric.compute()
    assert figures["MOTA"] == pytest.approx(0.25) and figures["Rcll"] == pytest.approx(0.25) and figures["FN"] == 3


def test_switches_and_sequences(tmp_path: Path) -> None:
    metric = MOTMetric(output_eval=tmp_path)
    metric.update(sequence(tmp_path, [1, 2, 3, 4], [1, 1, 2, 2], 4, truth(4)))
    other = MOTMetric()
    other.update(sequence(tmp_path, [1, 2], [1, 1], 2, truth(2), "b"))
    metric.merge([other.state()])
    figures = metric.compute()
    assert figures["IDs"] == 1 and figures["MOTA"] == pytest.approx(1 - 1 / 6) and metric.stats["b"]["MOTA"] == 1
    assert metric.stats["a"]["IDF1"] == pytest.approx(0.5)
    assert [line.split("|")[1].strip() for line in metric.report().splitlines()[2:]] == ["a", "b", "OVERALL"]
    assert (tmp_path / "mot_results" / "a.txt").read_text().splitlines()[2] == "3,2,10.00,10.00,20.00,40.00,1.0000,-1,-1,-1"


def test_ignored_people_neither_count_nor_are_missed(tmp_path: Path) -> None:
    vehicle = "1,9,100,100,30,60,1,7,1\n2,9,10,10,20,40,1,7,1\n"
    on_it = sequence(tmp_path, [1, 1], [1, 2], 1, truth(1, vehicle))
    on_it["boxes"][1] = [101, 101, 129, 160]
    metric = MOTMetric()
    metric.update(on_it)
    figures = metric.compute()
    assert figures["MOTA"] == 1 and figures["FP"] == 0 and figures["GT"] == 1


def test_nobody_at_all_and_no_truth(tmp_path: Path) -> None:
    metric = MOTMetric()
    metric.update(sequence(tmp_path, [], [], 3, truth(3)))
    assert metric.compute()["MOTA"] == 0
    metric.reset()
    metric.update({**sequence(tmp_path, [1], [1], 1, ""), "truth": None})
    with pytest.raises(DataError, match="gt/gt.txt"):
        metric.compute()
