"""Bottom-up estimation with a planted network: right people, clear outcomes for odd images and broken networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.planted_group import (
    SIDE,
    SKELETON,
    PlantedGroupRuntime,
    bottom_up_card,
    bottom_up_codec,
    group_image,
    write_bottom_up_model,
)
from support.planted_models import PlantedDetector, PlantedRuntime, pose_card, write_detector, write_pose_model

from ppdet.core.errors import ConfigError, ModelDirError
from ppdet.inference.estimators.bottom_up import BottomUpEstimator, hull_boxes
from ppdet.inference.estimators.top_down import TopDownEstimator
from ppdet.inference.model_card import ModelCard
from ppdet.inference.pipeline import PosePipeline

PEOPLE = np.array([[[60.0, 80.0], [110.0, 85.0]], [[200.0, 60.0], [250.0, 150.0]], [[330.0, 180.0], [300.0, 210.0]]])


def estimator(**changes) -> BottomUpEstimator:
    codec = bottom_up_codec(**changes)
    return BottomUpEstimator(PlantedGroupRuntime(codec), bottom_up_card(codec=codec))


def matched(keypoints: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Keypoints in the order of the expected people."""
    apart = np.abs(keypoints[:, None] - expected[None]).mean(axis=(2, 3))
    assert sorted(apart.argmin(axis=0)) == list(range(len(expected)))
    return keypoints[apart.argmin(axis=0)]


@pytest.mark.parametrize("wh", [(400, 300), (300, 500), (128, 128), (64, 64), (40, 30), (1000, 260)])
def test_everybody_is_found_whatever_the_size(wh: tuple[int, int]) -> None:
    people = np.rint(PEOPLE / [400, 300] * wh)  # a blob between two pixels has two equal peaks, magnified to a plateau
    scale = min(wh) / SIDE  # image pixels a network pixel
    found = estimator().people(group_image(wh, people, max(4 * scale, 1.0)))
    assert found.keypoints.shape == (3, 2, 2) and (found.scores > 0.8).all()
    np.testing.assert_allclose(matched(found.keypoints, people), people, atol=max(1.0, 1.5 * scale))
    np.testing.assert_allclose(found.boxes[:, :2], found.keypoints.min(axis=1))
    np.testing.assert_allclose(found.boxes[:, 2:], found.keypoints.max(axis=1))
    assert (np.diff(found.box_scores) <= 0).all()


def test_the_network_sees_multiples_of_64_and_is_run_once() -> None:
    tested = estimator()
    before = len(tested.runtime.shapes)
    tested.people(group_image((400, 300), PEOPLE, 8.0))
    assert tested.runtime.shapes[before:] == [(1, 3, SIDE, 192)]


def test_nobody_is_nobody() -> None:
    found = estimator().people(np.zeros((100, 150, 3), np.uint8))
    assert found.boxes.shape == (0, 4) and found.keypoints.shape == (0, 2, 2) and found.scores.shape == (0, 2)
    result = PosePipeline(None, estimator())(np.zeros((100, 150, 3), np.uint8))
    assert len(result) == 0 and result.to_dict()["people"] == []


def test_of_more_people_than_max_people_so_many_are_found() -> None:
    columns = np.linspace(40, 960, 6)
    people = np.stack([np.stack([columns, np.full(6, y)], axis=1) for y in (80.0, 160.0)], axis=1)
    pixels = group_image((1000, 240), people, 8.0)
    assert len(estimator().people(pixels).boxes) == 6
    assert len(estimator(max_people=4).people(pixels).boxes) == 4


def test_equal_tags_make_no_person_with_a_keypoint_twice() -> None:
    """Blue is the same everywhere: of each keypoint's three candidates each becomes a person, none is lost."""
    pixels = group_image((400, 300), PEOPLE, 8.0)
    pixels[..., 2] = 0
    found = estimator().people(pixels)
    assert len(found.boxes) == 3 and np.isfinite(found.keypoints).all()
    for joint in range(2):
        seen = found.keypoints[found.scores[:, joint] > 0.5, joint]
        assert len(seen) == len(np.unique(seen.round(), axis=0))


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_numbers_that_are_no_numbers_are_an_error(poison: float) -> None:
    with pytest.raises(ModelDirError, match="(?i)finite"):
        BottomUpEstimator(PlantedGroupRuntime(bottom_up_codec(), poison), bottom_up_card())
    tested = estimator()
    tested.runtime.poison = poison
    with pytest.raises(ModelDirError, match="(?i)finite"):
        tested.people(group_image((400, 300), PEOPLE, 8.0))


@pytest.mark.parametrize("wh", [(1, 700), (20000, 16)])
def test_an_image_like_a_thread_is_shrunk_with_a_warning(wh: tuple[int, int], caplog: pytest.LogCaptureFixture) -> None:
    """Else the network input would take gigabytes."""
    tested = estimator()
    found = tested.people(np.zeros((wh[1], wh[0], 3), np.uint8))
    assert len(found.boxes) == 0 and "too long and thin" in caplog.text and f"{wh[0]} x {wh[1]}" in caplog.text
    assert max(tested.runtime.shapes[-1]) == 8 * SIDE


def test_outputs_of_another_network_are_refused() -> None:
    with pytest.raises(ModelDirError, match="score, xy, offset"):
        BottomUpEstimator(PlantedRuntime(2), bottom_up_card())
    with pytest.raises(ModelDirError, match="no bottom-up pose model"):
        BottomUpEstimator(PlantedRuntime(), pose_card())
    with pytest.raises(ModelDirError, match="no top-down pose model"):
        TopDownEstimator(PlantedGroupRuntime(bottom_up_codec()), bottom_up_card())
    with pytest.raises(ModelDirError, match="17 keypoints, the network gives 2"):
        BottomUpEstimator(PlantedGroupRuntime(bottom_up_codec()), bottom_up_card(), skeleton="coco17")


def test_a_paddledetection_export_gives_whole_maps() -> None:
    """Its card names neither codec nor skeleton, and its four outputs are heat, tags and peaks of its own."""

    class WholeMaps(PlantedGroupRuntime):
        def run(self, feeds):
            image = feeds["image"]
            tags = np.repeat(image[:, 2:, ..., None] * np.float32(18), 2, axis=1)
            return [image[:, :2], tags, np.zeros((1, 2, 30), np.float32), np.zeros((1, 2, 30), np.int64)]

    for arch in ("HigherHRNet", "HRNet"):  # of some versions the card says HRNet
        card = bottom_up_card(codec=None, skeleton=None, arch=arch)
        assert card.kind == "bottom_up"
        found = BottomUpEstimator(WholeMaps(bottom_up_codec()), card).people(group_image((400, 300), PEOPLE, 8.0))
        np.testing.assert_allclose(matched(found.keypoints[:3], PEOPLE), PEOPLE, atol=3.0)
    with pytest.raises(ModelDirError, match="EvalAffine"):
        BottomUpEstimator(WholeMaps(bottom_up_codec()), bottom_up_card(codec=None, preprocess=[{"type": "Permute"}]))


def test_cards_come_back_as_they_were(tmp_path: Path) -> None:
    bottom_up_card(codec=bottom_up_codec(refine_cell=2, joint_order=[1, 0])).write(tmp_path)
    card = ModelCard.load(tmp_path)
    assert card.kind == "bottom_up" and card.use_dynamic_shape and card.skeleton == SKELETON
    assert card.codec.to_dict() == bottom_up_codec(refine_cell=2, joint_order=[1, 0]).to_dict()


def test_the_pipeline_takes_it_without_a_detector() -> None:
    pipeline = PosePipeline(None, estimator())
    pixels = group_image((400, 300), PEOPLE, 8.0)
    result = pipeline(pixels)
    assert len(result) == 3 and result.draw(threshold=0.2).shape == pixels.shape
    batch = pipeline.estimate_batch([pixels, pixels[:, :200].copy()], ["a", "b"])
    np.testing.assert_array_equal(batch[0].keypoints, result.keypoints)
    assert set(pipeline.timer.median_ms()) == {"pose", "group"}
    with pytest.raises(ModelDirError, match="finds all people of a whole image .* leave the detector out"):
        PosePipeline(PlantedDetector([[0, 0, 5, 5]]), estimator())


def test_weak_people_are_left_out_unless_asked_for() -> None:
    pixels = group_image((400, 300), np.concatenate([PEOPLE, [[[340.0, 40.0], [340.0, 40.0]]]]), 8.0)
    pixels[:90, 300:, 1] = 0  # of the fourth person only one keypoint is seen: a score of a half
    everybody = PosePipeline(None, estimator(refine=False), person_threshold=0.0)(pixels)
    assert len(everybody) == 4 and everybody.box_scores[-1] < 0.6
    assert len(PosePipeline(None, estimator(refine=False), person_threshold=0.6)(pixels)) == 3
    assert len(PosePipeline(None, estimator(refine=False))(pixels)) == 4


def test_directories(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    crowd, detector = write_bottom_up_model(tmp_path / "crowd"), write_detector(tmp_path / "det")
    pose = write_pose_model(tmp_path / "pose")
    for engine in ("onnxruntime", "openvino"):
        pytest.importorskip(engine)
        result = PosePipeline(None, crowd, engine=engine)(group_image((400, 300), PEOPLE, 8.0))
        np.testing.assert_allclose(matched(result.keypoints, PEOPLE), PEOPLE, atol=3.0)
    with pytest.raises(ModelDirError, match="takes no boxes from a detector"):
        PosePipeline(detector, crowd, engine="onnxruntime")
    with pytest.raises(ModelDirError, match="is no detector for others"):
        PosePipeline(crowd, pose, engine="onnxruntime")
    with pytest.raises(ConfigError, match="candidates and not the maps"):
        PosePipeline(None, crowd, engine="onnxruntime", flip_test=True)


def test_the_hull_leaves_out_what_was_not_found() -> None:
    xy = np.array([[[5.0, 6.0], [0.0, 0.0]], [[1.0, 2.0], [7.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]]])
    scores = np.array([[0.4, 0.0], [0.2, 0.9], [0.0, 0.0]])
    np.testing.assert_array_equal(hull_boxes(xy, scores), [[5, 6, 5, 6], [1, 1, 7, 2], [0, 0, 0, 0]])
    assert hull_boxes(np.zeros((0, 17, 2)), np.zeros((0, 17))).shape == (0, 4)


def test_the_hull_leaves_out_what_was_only_searched_for() -> None:
    xy = np.array([[[5, 6], [7, 9], [300, 400]], [[1, 1], [7, 2], [3, 3]]], np.float32)
    scores = np.array([[0.9, 0.2, 0.004], [0.05, 0.01, 0]], np.float32)
    np.testing.assert_array_equal(hull_boxes(xy, scores, 0.1), [[5, 6, 7, 9], [1, 1, 7, 2]])


def test_boxes_of_people_end_where_the_sure_keypoints_do() -> None:
    """Person 0 has no second keypoint; the search puts it on a faint spot in the opposite corner."""
    codec = bottom_up_codec()
    heat, tags = np.zeros((2, 128, 128), np.float32), np.zeros((2, 128, 128, 1), np.float32)
    heat[0, 20, 20], heat[1, 110, 110] = 0.9, 0.01
    estimator = BottomUpEstimator(PlantedGroupRuntime(codec), bottom_up_card())
    found = estimator.group(codec.candidates(heat, tags), codec.frame_for_image((128, 128)))
    assert (found.scores > 0).tolist() == [[True, True]]
    assert found.boxes.max() < 22
