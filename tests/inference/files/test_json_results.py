"""JSON in PaddleDetection's layout, every image in it, whole or not there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.planted_models import SKELETON

from ppdet.inference.formats.json_results import JsonResultsWriter
from ppdet.inference.results import PoseResult


def result(people: int, path: str | None = None, frame_id: int | None = None, ids: bool = False) -> PoseResult:
    keypoints = np.arange(people * 6, dtype=np.float32).reshape(people, 3, 2)
    scores = np.full((people, 3), 0.5, np.float32)
    boxes = np.tile(np.array([[1, 2, 30, 40]], np.float32), (people, 1))
    return PoseResult(boxes, np.full(people, 0.9, np.float32), keypoints, scores, SKELETON, (64, 48), path, frame_id,
                      None if frame_id is None else 33.4, np.arange(people) + 1 if ids else None)


def test_paddledetections_layout(tmp_path: Path) -> None:
    with JsonResultsWriter(tmp_path / "r.json") as writer:
        for one in (result(2, "a.jpg"), result(0, "empty.jpg"), result(1, frame_id=7)):
            writer.add(one)
    content = json.loads((tmp_path / "r.json").read_text())
    assert [record[0] for record in content] == ["a.jpg", "empty.jpg", 7]
    name, boxes, (keypoints, means) = content[0]
    assert boxes == [[1, 2, 30, 40]] * 2
    assert keypoints == [[[0, 1, 0.5], [2, 3, 0.5], [4, 5, 0.5]], [[6, 7, 0.5], [8, 9, 0.5], [10, 11, 0.5]]]
    assert means == [[0.5], [0.5]]
    assert content[1][1:] == [[], [[], []]]


def test_named_layout(tmp_path: Path) -> None:
    with JsonResultsWriter(tmp_path / "r.json", "named") as writer:
        writer.add(result(1, frame_id=3, ids=True))
        writer.add(result(0, frame_id=4))
    first, second = json.loads((tmp_path / "r.json").read_text())
    assert first["frame"] == 3 and first["timestamp_ms"] == 33.4 and (first["width"], first["height"]) == (64, 48)
    (person,) = first["people"]
    assert person["id"] == 1 and person["keypoints"]["left_hand"] == [2, 3, 0.5] and person["score"] == 0.5
    assert second["people"] == []


def test_an_empty_run_is_an_empty_list(tmp_path: Path) -> None:
    with JsonResultsWriter(tmp_path / "r.json"):
        pass
    assert json.loads((tmp_path / "r.json").read_text()) == []


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("old")
    with pytest.raises(RuntimeError), JsonResultsWriter(tmp_path / "r.json") as writer:
        writer.add(result(1, "a.jpg"))
        raise RuntimeError("power cut")
    assert (tmp_path / "r.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_a_result_speaks_for_itself() -> None:
    one = result(2, "a.jpg")
    assert len(one) == 2 and json.loads(one.to_json())["image"] == "a.jpg"
    np.testing.assert_allclose(one.person_scores, [0.5, 0.5])
    assert result(0).person_scores.shape == (0,)
    drawn = one.draw(np.zeros((48, 64, 3), np.uint8), threshold=0.3)
    assert drawn.any() and not one.draw(np.zeros((48, 64, 3), np.uint8), threshold=0.6, draw_boxes=False).any()


def test_a_full_disk_is_reported_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on file sizes stands for the full disk; the buffer fails either on the way or at the end."""
    pytest.importorskip("resource")
    for entries in (2, 5000):
        code = (
            "import resource, sys\n"
            f"sys.path.insert(0, {str(Path(__file__).resolve().parents[3])!r})\n"
            "from ppdet.core.command import run_command\n"
            "from ppdet.inference.formats.json_list import JsonListWriter\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
            "def main():\n"
            f"    with JsonListWriter({str(tmp_path / 'r.json')!r}) as writer:\n"
            f"        for _ in range({entries}):\n"
            "            writer.append('x' * 100)\n"
            "sys.exit(run_command(main))\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 2 and f"error: cannot write {tmp_path / 'r.json'}" in done.stderr, done.stderr
        assert "Traceback" not in done.stderr and not list(tmp_path.iterdir())
