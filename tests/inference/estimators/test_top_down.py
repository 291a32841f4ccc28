"""The top-down estimator on images whose keypoints are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.planted_models import INPUT_WH, NORMALIZE, SKELETON, PlantedRuntime, planted_codec, planted_person, pose_card

from ppdet.core.errors import DataError, ModelDirError
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.model_card import ModelCard
from ppdet.inference.score_calibration import ScoreCalibration

# A crop covers the box x 1.25; at twice the input's size a blob of sigma 16 px is one of 2 cells.
BOX = np.array([[160, 120, 160 + 2 * 48 / 1.25, 120 + 2 * 64 / 1.25]])
POINTS = np.array([[198.3, 150.7], [180.25, 190.5], [215.6, 201.9]])


def estimator(**changes: Any) -> TopDownEstimator:
    options = {key: changes.pop(key) for key in ("flip_test", "batch_size", "use_dark", "skeleton") if key in changes}
    return TopDownEstimator(changes.pop("runtime", None) or PlantedRuntime(), pose_card(**changes), **options)


def paddledet_card(**affine: Any) -> ModelCard:
    operations = [{"type": "TopDownEvalAffine", "trainsize": list(INPUT_WH), **affine}, dict(NORMALIZE), {"type": "Permute"}]
    return ModelCard(arch="HRNet", preprocess=operations)


def test_planted_keypoints_are_found_to_a_fraction_of_a_pixel() -> None:
    image = planted_person((400, 300), POINTS, 16.0)
    keypoints, scores = estimator().estimate(image, BOX)
    assert keypoints.shape == (1, 3, 2) and keypoints.dtype == np.float32 and scores.shape == (1, 3)
    np.testing.assert_allclose(keypoints[0], POINTS, atol=0.25)  # one cell is 8 image pixels
    assert (scores > 0.9).all()


def test_a_person_at_the_border_keeps_all_keypoints() -> None:
    """PaddleDetection clips the crop to the image and then loses head and feet of this very box."""
    points = np.array([[25.0, 105.0], [20.0, 250.0], [35.0, 395.0]])
    box = np.array([[0, 100, 40, 400]], float)
    scale = 300 * 1.25 / INPUT_WH[1]
    image = planted_person((640, 480), points, 8 * scale)
    keypoints, scores = estimator().estimate(image, box)
    np.testing.assert_allclose(keypoints[0], points, atol=0.25 * 4 * scale)  # a quarter of a cell; the border cuts the blobs
    assert (scores > 0.8).all()


def test_scores_follow_the_calibration_of_the_card() -> None:
    image = planted_person((400, 300), POINTS, 16.0)
    keypoints, scores = estimator().estimate(image, BOX)
    stored = {"temperature": 2.0, "shift": -0.5}
    same, calibrated = estimator(extra={"score_calibration": stored}).estimate(image, BOX)
    np.testing.assert_array_equal(same, keypoints)
    np.testing.assert_allclose(calibrated, ScoreCalibration(2.0, -0.5)(scores), rtol=1e-6)
    assert (calibrated < scores).all()


@pytest.mark.parametrize("content", [{"shift": 1}, {"temperature": 0}, {"temperature": 1, "scale": 2}, 3])
def test_a_calibration_that_is_none_is_refused(content: Any, tmp_path: Path) -> None:
    pose_card(extra={"score_calibration": content}).write(tmp_path)
    with pytest.raises(ModelDirError, match="score_calibration"):
        ModelCard.load(tmp_path)


def test_nobody_gives_empty_arrays() -> None:
    keypoints, scores = estimator().estimate(np.zeros((40, 40, 3), np.uint8), np.zeros((0, 4)))
    assert keypoints.shape == (0, 3, 2) and scores.shape == (0, 3)


@pytest.mark.parametrize("fixed_batch", [None, 2])
def test_batches_do_not_change_results(fixed_batch: int | None) -> None:
    image = planted_person((400, 300), POINTS, 16.0)
    boxes = BOX + np.arange(5)[:, None] * [3, -2, 3, -2]
    expected = [estimator().estimate(image, box[None]) for box in boxes]
    runtime = PlantedRuntime(fixed_batch=fixed_batch)
    keypoints, scores = estimator(runtime=runtime, batch_size=2).estimate(image, boxes)
    np.testing.assert_allclose(keypoints, np.concatenate([one for one, _ in expected]), atol=1e-4)
    np.testing.assert_allclose(scores, np.concatenate([one for _, one in expected]), atol=1e-6)
    assert runtime.batches[1:] == ([2, 2, 2] if fixed_batch else [2, 2, 1])


def test_people_of_several_images_share_batches() -> None:
    images = [planted_person((400, 300), POINTS + shift, 16.0) for shift in (0, 5, 9)]
    boxes = [np.repeat(BOX, 2, axis=0), np.zeros((0, 4)), BOX + 9]
    runtime = PlantedRuntime()
    results = estimator(runtime=runtime, batch_size=8).estimate_many(images, boxes)
    assert [len(keypoints) for keypoints, _ in results] == [2, 0, 1]
    np.testing.assert_allclose(results[0][0][1], POINTS, atol=0.25)
    np.testing.assert_allclose(results[2][0][0], POINTS + 9, atol=0.25)
    assert runtime.batches[1:] == [3]


def test_flip_test_keeps_the_place_and_swaps_partners() -> None:
    """The planted network sees colours, so a mirrored crop needs its left and right channels swapped to make sense."""

    class Mirroring(PlantedRuntime):
        def run(self, feeds: Any) -> list[np.ndarray]:
            image = feeds["image"].copy()
            rows = slice(1, 2) if len(image) == 2 else slice(0, len(self.batches) == 2)  # probe; then plain and mirrored
            image[rows] = image[rows][:, [0, 2, 1]]
            return super().run({"image": image})

    image = planted_person((400, 300), POINTS, 16.0)
    for together, batches in ((8, [1, 2]), (1, [1, 1, 1])):
        runtime = Mirroring()
        keypoints, _ = estimator(runtime=runtime, flip_test=True, batch_size=together).estimate(image, BOX)
        np.testing.assert_allclose(keypoints[0], POINTS, atol=0.4)
        assert runtime.batches == batches


@pytest.mark.parametrize(
    ("boxes", "shape"), [(np.zeros(4), r"\(4,\)"), (np.array([[0, 0, np.nan, 5]]), r"\(1, 4\)"), (np.zeros((2, 5)), r"\(2, 5\)")]
)
def test_bad_boxes_are_refused(boxes: np.ndarray, shape: str) -> None:
    with pytest.raises(DataError, match=f"finite numbers of shape .N, 4.*{shape}"):
        estimator().estimate(np.zeros((40, 40, 3), np.uint8), boxes)


def test_paddledetections_card_gets_a_codec_and_a_stated_skeleton(caplog: pytest.LogCaptureFixture) -> None:
    derived = TopDownEstimator(PlantedRuntime(channels=17), paddledet_card())
    assert derived.skeleton.name == "coco17"
    assert "its 17 keypoints are taken for 'coco17'" in caplog.text
    codec = derived.codec
    assert (codec.input_wh, codec.heatmap_wh, codec.grid, codec.alignment, codec.decoder) == (
        (48, 64),
        (12, 16),
        "stride",
        "affine",
        "dark",
    )
    image = planted_person((400, 300), POINTS, 16.0)
    np.testing.assert_allclose(derived.estimate(image, BOX)[0][0, :3], POINTS, atol=2.0)  # a quarter of a cell


def test_paddledetections_flags_are_taken_over() -> None:
    derived = TopDownEstimator(PlantedRuntime(), paddledet_card(use_udp=True), use_dark=False, skeleton=SKELETON)
    assert (derived.codec.alignment, derived.codec.decoder, derived.skeleton.name) == ("udp", "quarter", "planted3")
    assert estimator(use_dark=False).codec.decoder == "quarter"
    assert estimator(codec=planted_codec(decoder="argmax")).codec.decoder == "argmax"


def test_the_networks_own_heatmap_size_wins_over_a_guess() -> None:
    derived = TopDownEstimator(PlantedRuntime(stride=2), paddledet_card(), skeleton=SKELETON)
    assert derived.codec.heatmap_wh == (24, 32)
    with pytest.raises(ModelDirError, match=r"promises heatmap of \(16, 12\), the network gives \(32, 24\)"):
        estimator(runtime=PlantedRuntime(stride=2))


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ModelDirError, match="has 3 keypoints, the network gives 17"):
        estimator(runtime=PlantedRuntime(channels=17))
    with pytest.raises(ModelDirError, match="no TopDownEvalAffine"):
        TopDownEstimator(PlantedRuntime(), ModelCard(arch="HRNet", preprocess=[{"type": "Permute"}]))
    with pytest.raises(ModelDirError, match="no top-down pose model"):
        TopDownEstimator(PlantedRuntime(), ModelCard(arch="GFL", preprocess=[{"type": "Permute"}]))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-2000, 3000, width=32)] * 2, *[st.floats(0, 4000, width=32)] * 2), max_size=6),
    st.integers(1, 90),
    st.integers(1, 90),
)
def test_any_box_in_any_image_gives_finite_keypoints(boxes: list, width: int, height: int) -> None:
    """Boxes outside the image, of no size, far larger than it: an answer, never a crash."""
    corners = np.array([[x, y, x + w, y + h] for x, y, w, h in boxes], float).reshape(-1, 4)
    image = np.full((height, width, 3), 90, np.uint8)
    keypoints, scores = estimator(batch_size=4).estimate(image, corners)
    assert keypoints.shape == (len(boxes), 3, 2) and np.isfinite(keypoints).all() and np.isfinite(scores).all()


def test_an_engine_that_folds_a_wrong_size_into_the_batch_is_found_out() -> None:
    """Paddle Inference gives four sets of heatmaps for one crop of twice the size."""

    class Folding(PlantedRuntime):
        def run(self, feeds: Any) -> list[np.ndarray]:
            return [np.repeat(super().run(feeds)[0], 4, axis=0)]

    with pytest.raises(ModelDirError, match="outputs of 4 people for 1 crops of 48 x 64 pixels"):
        estimator(runtime=Folding())
