"""The demo checks what it is given first, runs on each kind of source, measures itself, and names files that are there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.planted_models import pose_card, write_detector, write_pose_model
from support.shared_data import shared

from ppdet.commands.demonstration.clip import TruthScore, render_clip
from ppdet.commands.demonstration.demo import main
from ppdet.commands.demonstration.outputs import SHEET_FRAMES, SheetFrames
from ppdet.commands.demonstration.run import DemoOptions, run_demo
from ppdet.core.errors import PpdetError
from ppdet.inference.progress import quiet_progress
from ppdet.inference.results import PoseResult
from ppdet.skeletons.tables import COCO17
from ppdet.visualize.rendered_people import rendered_clip

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_demo_from_released_weights(tmp_path: Path) -> None:
    report = run_demo(DemoOptions(weights=str(shared("data", "weights")), output_dir=str(tmp_path)))
    assert [path.suffix for path in report.written] == [".mp4", ".jsonl", ".jpg"]
    assert all(path.stat().st_size > 1000 for path in report.written)
    lines = [json.loads(line) for line in report.written[1].read_text().splitlines()]
    assert len(lines) == report.images == 100 and all({"frame", "people"} <= set(line) for line in lines)
    assert report.score is not None and report.score.pck > 0.8 and report.score.people_found > 0.8 * report.score.people


@pytest.fixture()
def planted(tmp_path: Path) -> Path:
    """A folder of two exported models with planted answers."""
    pytest.importorskip("onnx")
    write_detector(tmp_path / "planted" / "detector")
    write_pose_model(tmp_path / "planted" / "pose", 17, card=pose_card(skeleton=COCO17))
    return tmp_path / "planted"


def test_the_rendered_clip_from_exported_models(planted: Path, tmp_path: Path, capfd) -> None:
    assert main(["--weights", str(planted), "--output_dir", str(tmp_path / "out"), "--max_frames", "3"]) == 0
    names = {"rendered_people_poses.mp4", "rendered_people_poses.jsonl", "rendered_people_poses_sheet.jpg"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names | {"rendered_people.mp4"}
    output = "".join(capfd.readouterr())
    assert "PCK@0.2" in output and all(name in output for name in names)
    assert len((tmp_path / "out" / "rendered_people_poses.jsonl").read_text().splitlines()) == 3


def test_rendering_shows_its_progress(tmp_path: Path) -> None:
    steps: list[int] = []
    with quiet_progress(lambda: steps.append(1)):
        render_clip(tmp_path / "clip.mp4", 2)
    assert len(steps) == 2


def test_a_folder_and_a_single_image(planted: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(3):
        cv2.imwrite(str(photos / f"{number}.png"), np.full((60, 80, 3), 200, np.uint8))
    (photos / "broken.jpg").write_bytes(b"no image")
    report = run_demo(DemoOptions(str(photos), str(planted), str(tmp_path / "out")))
    assert report.images == 3 and report.score is None
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"0_poses.jpg", "1_poses.jpg", "2_poses.jpg", "photos_poses.jsonl", "photos_poses_sheet.jpg"}
    alone = run_demo(DemoOptions(str(photos / "0.png"), str(planted), str(tmp_path / "alone")))
    assert [path.name for path in alone.written] == ["0_poses.jpg", "0_poses.jsonl"]


@pytest.mark.parametrize("weights", ["nothing", "http_typo/there"])
def test_a_missing_folder_of_weights_is_an_error_even_after_an_earlier_run(tmp_path: Path, weights: str, capsys) -> None:
    earlier = tmp_path / "out" / "models" / "tinypose_256x192"
    earlier.mkdir(parents=True)
    (earlier / "infer_cfg.yml").write_text("arch: HRNet\n")
    assert main(["--weights", str(tmp_path / weights), "--output_dir", str(tmp_path / "out")]) == 2
    assert weights in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*.mp4"))


def test_a_copy_without_bundled_models_names_the_way_out(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("ppdet.inference.files.model_names.bundled_models_folder", lambda: tmp_path / "bundled")
    with pytest.raises(PpdetError, match="(?s)no bundled.*WEIGHTS=FOLDER"):
        run_demo(DemoOptions(output_dir=str(tmp_path / "out")))


def test_a_folder_without_models_or_weights_names_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "picodet_s_320_lcnet_pedestrian.pdparams").write_bytes(b"x")
    with pytest.raises(PpdetError, match="tinypose_256x192.pdparams"):
        run_demo(DemoOptions(weights=str(tmp_path), output_dir=str(tmp_path / "out")))


def test_weights_without_paddle_are_one_line(tmp_path: Path, monkeypatch) -> None:
    for name in ("picodet_s_320_lcnet_pedestrian", "tinypose_256x192"):
        (tmp_path / f"{name}.pdparams").write_bytes(b"x")
    monkeypatch.setattr("ppdet.commands.demonstration.models.find_spec", lambda name: None)
    with pytest.raises(PpdetError, match="needs Paddle.*make env") as caught:
        run_demo(DemoOptions(weights=str(tmp_path), output_dir=str(tmp_path / "out")))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"source": "nowhere.mp4"}, "nowhere.mp4"),
        ({"source": "text.mp4"}, "text.mp4"),
        ({"max_frames": 0}, "--max_frames 0"),
        ({"output_dir": "text.mp4/out"}, "text.mp4"),
    ],
)
def test_other_mistakes_are_found_before_the_models_are_loaded(tmp_path: Path, monkeypatch, options, named) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.mp4").write_text("no video at all, only text " * 50)
    with pytest.raises(PpdetError, match=named):
        run_demo(DemoOptions(**{"weights": "nothing either", **options}))


def test_no_part_of_the_demo_that_runs_exported_models_imports_paddle() -> None:
    code = ("import sys, ppdet.commands.demonstration.demo, ppdet.commands.demonstration.run\n"
            "assert not [name for name in sys.modules if name.split('.')[0] == 'paddle' or name.startswith('ppdet.engine')]")
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def result_of(keypoints: np.ndarray, frame: int = 1) -> PoseResult:
    count = len(keypoints)
    return PoseResult(np.zeros((count, 4)), np.ones(count), keypoints, np.ones((count, 17)), COCO17, (640, 360), frame_id=frame)


def test_the_score_is_one_for_the_truth_and_counts_everything_missed() -> None:
    truth = list(rendered_clip(2))
    score = TruthScore(truth)
    for number, frame in enumerate(truth, 1):
        score.add(result_of(frame.keypoints[::-1], number))
    assert score.pck == 1.0 and score.people_found == score.people > 5

    empty = TruthScore(truth)
    empty.add(result_of(np.zeros((0, 17, 2))))
    assert empty.pck == 0.0 and empty.keypoints == (truth[0].visibility == 2).sum()

    beside = TruthScore(truth)  # 0.19 of the torso to the right is found, 0.21 is not
    offset = np.array([0.19, 0.21, 0.19, 0.19, 0.19])[:, None, None] * truth[0].torso[:, None, None] * np.array([1.0, 0.0])
    beside.add(result_of(truth[0].keypoints + offset))
    lost = (truth[0].visibility[1] == 2).sum()
    assert beside.keypoints - beside.keypoints_found == lost


def test_one_pose_counts_for_one_person_only() -> None:
    frame = next(rendered_clip(1))
    score = TruthScore([frame])
    score.add(result_of(frame.keypoints[[2]]))
    assert score.people_found == 1 and score.keypoints_found == (frame.visibility[2] == 2).sum()


def test_a_contact_sheet_of_any_number_of_frames(tmp_path: Path) -> None:
    for count in (1, 5, 100):
        frames = SheetFrames()
        for number in range(count):
            frames.add(np.full((36, 64, 3), number, np.uint8))
        sheet = cv2.imread(str(frames.write(tmp_path / f"{count}.png", "frame")))
        assert sheet.size > 0
    assert SHEET_FRAMES == 8
    with pytest.raises(PpdetError, match="no frame"):
        SheetFrames().write(tmp_path / "none.png", "frame")
