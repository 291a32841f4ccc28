"""The figures of `ppdet benchmark batch`."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.planted_models import write_detector, write_pose_model

from ppdet.core.errors import PpdetError


@pytest.mark.slow
def test_a_row_per_number_of_workers(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("resource")
    from ppdet.engine.benchmarks.batch_speed import HEADER, batch_rows

    models = ["--det", str(write_detector(tmp_path / "det")), "--model", str(write_pose_model(tmp_path / "kpt"))]
    (row,) = batch_rows(2, 20, [1], ["local"], models)
    assert len(row) == len(HEADER) and row[:3] == ["local", "1", "40"]
    assert int(row[7]) == pytest.approx(30 * float(row[6]), rel=0.2, abs=20)  # 108 million frames in hours
    with pytest.raises(PpdetError, match="ended with status 2"):
        list(batch_rows(1, 2, [1], ["local"], ["--model", "nowhere"]))
