"""Which frames are suggested: those that a model is unsure of, none twice, none that is labelled."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Dict, List, Sequence

import cv2
import numpy as np
import pytest
from support.planted_models import SKELETON, PlantedRuntime, planted_person, pose_card, write_pose_model

from ppdet.commands.datasets.dataset import main
from ppdet.core.errors import ConfigError, MediaError
from ppdet.image.io import read_image, write_image
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.suggestions.disagreement import Poses, difference
from ppdet.inference.suggestions.selection import Look, choose, look_of
from ppdet.inference.suggestions.suggest import SuggestOptions, suggest_frames
from ppdet.inference.suggestions.views import views_of

WH = (96, 128)
POINTS = np.array([[30.0, 40.0], [50.0, 60.0], [40.0, 90.0]])


def pipeline(runtime: Any = None) -> PosePipeline:
    return PosePipeline(None, TopDownEstimator(runtime or PlantedRuntime(), pose_card()))


def write_people(folder: Path, shifts: Sequence[float]) -> Path:
    folder.mkdir()
    for number, shift in enumerate(shifts):
        write_image(folder / f"{number:02d}.png", planted_person(WH, POINTS + [shift, 0.4 * shift], 12.0))
    return folder


def rows_of(folder: Path) -> List[Dict[str, str]]:
    with open(folder / "suggested.csv", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


class Doubtful(PlantedRuntime):
    """Finds what is planted, but where the image is bluish, each call finds it somewhere else."""

    def run(self, feeds: Any) -> List[np.ndarray]:
        heatmap = super().run(feeds)[0].copy()
        for row, crop in enumerate(feeds["image"]):
            if crop[2].mean() > 1.5 * crop[0].mean():
                heatmap[row] = np.roll(heatmap[row], 1 + 2 * row, axis=2)
        return [heatmap, np.argmax(heatmap.reshape(*heatmap.shape[:2], -1), axis=2)]


@pytest.mark.parametrize("view", views_of(WH), ids=lambda view: view.name)
def test_keypoints_of_a_view_come_back(view: Any) -> None:
    """A blob that is seen in the view lies, after going back, where it was planted."""
    image = planted_person(WH, POINTS, 5.0)
    seen = view.image(image)
    assert seen.shape == image.shape and seen.dtype == np.uint8
    peaks = np.array([np.unravel_index(cv2.GaussianBlur(seen[..., k].astype(float), (0, 0), 2).argmax(), seen.shape[:2])[::-1]
                      for k in range(3)])  # fmt: skip
    back = view.back(peaks[None].astype(float), SKELETON)[0]
    order = SKELETON.flip_permutation if view.name == "mirrored" else [0, 1, 2]
    np.testing.assert_allclose(back, POINTS[order], atol=1.2)


def test_difference_by_hand() -> None:
    square = np.array([[[0.0, 0], [30, 0], [30, 40]]])  # 50 pixels across
    sure = np.ones((1, 3))
    moved = square + [[0.0, 0], [5, 0], [0, 10]]
    both = difference(Poses(square, sure), Poses(moved, sure), 500)
    assert both.value == pytest.approx((0 + 0.1 + 0.2) / 3) and both.per_keypoint == pytest.approx([0, 0.1, 0.2])
    unsure = np.array([[1.0, 1, 0]])
    assert difference(Poses(square, unsure), Poses(moved, unsure), 500).value == pytest.approx(0.05), "a hidden point"
    nobody = Poses(np.zeros((0, 3, 2)), np.zeros((0, 3)))
    assert difference(nobody, nobody, 500).value == 0
    assert difference(Poses(square, sure), nobody, 500).value == 1
    two = Poses(np.concatenate([square, square + 200]), np.ones((2, 3)))
    assert difference(two, Poses(two.keypoints[::-1], two.scores), 500).value == 0, "whatever the order"
    assert difference(two, Poses(square, sure), 500).value == 1, "one of two people"


def test_neighbours_are_not_chosen_together() -> None:
    rng = np.random.default_rng(0)
    scenes = rng.uniform(0, 1, (6, 8))
    looks = [Look(scene + rng.normal(0, 0.005, 8), scene[:6]) for scene in scenes for _ in range(10)]
    scores = np.repeat([0.9, 0.5, 0.4, 0.3, 0.2, 0.1], 10) + rng.uniform(0, 0.01, 60)
    chosen = choose(scores, looks, 6)
    assert sorted(row // 10 for row in chosen) == list(range(6)) and chosen[0] // 10 == 0
    assert choose(np.ones(3), [looks[0]] * 3, 3) == [0], "the same picture three times"
    assert choose(np.zeros(0), [], 3) == []


def test_doubtful_images_come_first(tmp_path: Path) -> None:
    folder = write_people(tmp_path / "images", range(-12, 13, 2))
    for name in ("03.png", "09.png"):
        image = read_image(folder / name)
        write_image(folder / name, np.maximum(image, np.array([0, 0, 60], np.uint8)))
    found = suggest_frames([pipeline(Doubtful())], [str(folder)], tmp_path / "out", SuggestOptions(count=4))
    assert sorted(each.candidate.name for each in found[:2]) == ["03.png", "09.png"]
    assert found[1].disagreement > 3 * found[2].disagreement and found[0].keypoint in SKELETON.names
    rows = rows_of(tmp_path / "out")
    assert [row["image"] for row in rows] == [each.candidate.name for each in found]
    assert [int(row["rank"]) for row in rows] == [1, 2, 3, 4] and float(rows[0]["disagreement"]) > 0.05
    assert read_image(tmp_path / "out" / "contact_sheet.jpg").shape[1] == 4 * 320


def test_two_models_are_asked(tmp_path: Path) -> None:
    folder = write_people(tmp_path / "images", range(-8, 9, 4))

    class Wrong(PlantedRuntime):
        def run(self, feeds: Any) -> List[np.ndarray]:
            outputs = super().run(feeds)
            outputs[0] = np.roll(outputs[0], 3, axis=3)
            return outputs

    alone = suggest_frames([pipeline()], [str(folder)], tmp_path / "a", SuggestOptions(count=5))
    both = suggest_frames([pipeline(), pipeline(Wrong())], [str(folder)], tmp_path / "b", SuggestOptions(count=5))
    assert max(each.disagreement for each in both) > 2 * max(each.disagreement for each in alone)
    other = TopDownEstimator(PlantedRuntime(), pose_card(skeleton=SKELETON.__class__.from_dict(
        {"name": "other", "keypoints": [{"name": name} for name in "abc"]})))  # fmt: skip
    with pytest.raises(ConfigError, match="model 2 has other keypoints"):
        suggest_frames([pipeline(), PosePipeline(None, other)], [str(folder)], tmp_path / "c")


def test_a_model_without_mirror_training_is_not_asked_about_mirror_images(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The planted network knows a keypoint by its colour, which a mirror image does not swap."""
    folder = write_people(tmp_path / "images", range(-8, 9, 4))
    found = suggest_frames([pipeline()], [str(folder)], tmp_path / "out", SuggestOptions(count=5))
    assert "mirror images are left out" in caplog.text and max(each.disagreement for each in found) < 0.1


def test_the_command_on_a_video_and_what_is_labelled(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter_fourcc(*"mp4v"), 10, WH)
    for shift in np.linspace(-14, 14, 30):
        writer.write(planted_person(WH, POINTS + [shift, 0], 12.0)[..., ::-1].copy())
    writer.release()
    folder = write_people(tmp_path / "images", range(-12, 13, 4))
    labelled = tmp_path / "labelled.json"
    labelled.write_text('{"images": [{"id": 1, "file_name": "sub/00.png"}, {"id": 2, "file_name": "clip_frame_000001.png"}],'
                        ' "annotations": [], "categories": []}')  # fmt: skip
    model = write_pose_model(tmp_path / "model")
    out = tmp_path / "out"
    words = ["suggest", str(folder), str(clip), "--model", str(model), "--det", "none", "-o", str(out), "--count", "30",
             "--look_at", "10", "--labelled", str(labelled), "--cpu_threads", "1"]  # fmt: skip
    assert main(words) == 0
    rows = rows_of(out)
    frames = [int(row["frame"]) for row in rows if row["frame"]]
    assert sorted(frames) == list(range(4, 31, 3)), "every third frame; the first is labelled"
    images = {row["image"] for row in rows if not row["frame"]}
    assert images == {f"{number:02d}.png" for number in range(1, 7)}
    for row in rows:
        if row["frame"]:
            np.testing.assert_allclose(read_image(out / row["image"]).shape, (WH[1], WH[0], 3))


def test_mistakes_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_people(tmp_path / "images", [0])
    with pytest.raises(MediaError, match="record a video first"):
        suggest_frames([pipeline()], ["0"], tmp_path / "out")
    with pytest.raises(MediaError, match="all are labelled"):
        suggest_frames([pipeline()], [str(folder)], tmp_path / "out", SuggestOptions(known={"00.png"}))
    with pytest.raises(ConfigError, match="--count 0"):
        suggest_frames([pipeline()], [str(folder)], tmp_path / "out", SuggestOptions(count=0))
    model = write_pose_model(tmp_path / "model")
    assert main(["suggest", str(folder), "--model", str(model), "--det", "boxes.json", "-o", str(tmp_path / "o")]) == 2
    assert "boxes from a file do not fit" in capsys.readouterr().err
    assert look_of(np.zeros((20, 30, 3), np.uint8), np.zeros((0, 3, 2))).pose.tolist() == [0.5] * 6
