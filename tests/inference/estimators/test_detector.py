"""The detector: its preprocessing, every output layout, batches of mixed sizes."""

from __future__ import annotations

from typing import Any, Callable, Mapping

import numpy as np
import pytest
from support.planted_models import NORMALIZE, pose_card, sure_of

from ppdet.core.errors import ModelDirError
from ppdet.inference.estimators.detector import BoxDetector, is_blank
from ppdet.inference.estimators.preprocess import DetectorPreprocess, Normalizer
from ppdet.inference.model_card import ModelCard
from ppdet.inference.model_opening import open_detector
from ppdet.inference.runtimes.base import Runtime

RESIZE = {"type": "Resize", "interp": 1, "keep_ratio": False, "target_size": [32, 64]}


class FunctionRuntime(Runtime):
    """A network given as a function of its inputs."""

    engine = "function"

    def __init__(self, function: Callable[[Mapping[str, np.ndarray]], list[np.ndarray]], *names: str) -> None:
        self.function, self.input_names = function, names

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        self.check_feeds(feeds)
        return self.function(feeds)


def card(arch: str = "GFL", **changes: Any) -> ModelCard:
    return ModelCard(arch=arch, preprocess=[RESIZE, NORMALIZE, {"type": "Permute"}], label_list=["person"], **changes)


def pixels(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)


def test_normalising_is_what_the_card_says() -> None:
    images = pixels(4, 6)[None]
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    got = Normalizer({"is_scale": True, "mean": mean.tolist(), "std": std.tolist()})(images)
    np.testing.assert_allclose(got, ((images / 255.0 - mean) / std).transpose(0, 3, 1, 2), atol=1e-5)
    np.testing.assert_array_equal(Normalizer(None)(images), images.transpose(0, 3, 1, 2))  # the graph normalises
    got = Normalizer({"is_scale": True, "norm_type": "none", "mean": [9, 9, 9], "std": [9, 9, 9]})(images)
    np.testing.assert_allclose(got, images.transpose(0, 3, 1, 2) / 255.0, atol=1e-6)


def test_plain_resize_states_scales_height_first() -> None:
    inputs = DetectorPreprocess(card().preprocess)([pixels(64, 64), pixels(16, 128)])
    assert inputs.image.shape == (2, 3, 32, 64)
    np.testing.assert_allclose(inputs.scale_factor, [[0.5, 1.0], [2.0, 0.5]])
    np.testing.assert_allclose(inputs.im_shape, [[32, 64], [32, 64]])


def test_keep_ratio_and_padding() -> None:
    resize = {**RESIZE, "keep_ratio": True, "target_size": [40, 80]}
    preprocess = DetectorPreprocess([resize, NORMALIZE, {"type": "Permute"}, {"type": "PadStride", "stride": 32}])
    inputs = preprocess([pixels(100, 100), pixels(50, 200)])
    # the short side to 40 unless the long side would pass 80
    np.testing.assert_allclose(inputs.im_shape, [[40, 40], [20, 80]])
    assert inputs.image.shape == (2, 3, 64, 96)
    assert inputs.image[0, :, 40:].max() == 0 and inputs.image[1, :, :, 80:].max() == 0


def test_an_unknown_operation_is_named() -> None:
    with pytest.raises(ModelDirError, match="Preprocess has Rotate"):
        DetectorPreprocess([RESIZE, {"type": "Rotate"}])
    with pytest.raises(ModelDirError, match="neither Resize nor LetterBoxResize"):
        DetectorPreprocess([NORMALIZE])


def test_finished_boxes_of_a_batch_are_cut_to_their_image() -> None:
    def network(feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        assert set(feeds) == {"image", "scale_factor", "im_shape"}
        rows = [[0, 0.9, -5, 10, 1000, 40], [0, 0.8, 70, 70, 90, 90], [1, 0.7, 3, 3, 9, 9]]
        return [np.array(rows, np.float32), np.array([2, 1], np.int32)]

    detector = BoxDetector(FunctionRuntime(network, "image", "scale_factor", "im_shape"), card(), batch_size=2)
    first, second = detector.detect([pixels(60, 60), pixels(60, 90)])
    np.testing.assert_allclose(first.boxes_xyxy, [[0, 10, 60, 40]])  # the second box lies outside and is gone
    np.testing.assert_allclose(second.boxes_xyxy, [[3, 3, 9, 9]])
    assert first.boxes_xyxy.dtype == np.float32 and second.labels.tolist() == [1]


def test_undecided_boxes_get_nms_and_image_pixels() -> None:
    boxes = np.array([[[0, 0, 32, 16], [1, 0, 33, 16], [32, 0, 64, 32]]], np.float32)
    scores = np.array([[[0.9, 0.8, 0.7]]], np.float32)
    detector = BoxDetector(FunctionRuntime(lambda feeds: [boxes, scores], "image"), card(nms={"nms_threshold": 0.5}))
    (found,) = detector.detect([pixels(64, 64)])  # network pixels are 1 x 0.5 image pixels
    np.testing.assert_allclose(found.boxes_xyxy, [[0, 0, 32, 32], [32, 0, 64, 64]])


def raw_picodet(fold_batch: bool, seen: list[int]) -> Callable[[Mapping[str, np.ndarray]], list[np.ndarray]]:
    """Heads of a network that finds a 16 x 16 box round the point number 9 of stride 8 in every image."""

    def network(feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        batch = len(feeds["image"])
        seen.append(batch)
        scores, distances = [], []
        for points in (32, 8, 2, 1):
            level = np.zeros((batch, points, 1), np.float32)
            if points == 32:
                level[:, 9] = 0.8
            scores.append(level)
            distances.append(np.tile(sure_of([1, 1, 1, 1]), (batch, points, 1)))
        if fold_batch:  # as PaddleDetection's export: (1, C, B * A), which mixes images up
            scores = [level.reshape(1, -1, 1) for level in scores]
            distances = [level.reshape(1, -1, 32) for level in distances]
        return scores + distances

    return network


@pytest.mark.parametrize("fold_batch", [False, True])
def test_raw_heads_at_any_batch(fold_batch: bool) -> None:
    seen: list[int] = []
    settings = {"keep_top_k": 100, "name": "MultiClassNMS", "nms_threshold": 0.5, "nms_top_k": 1000, "score_threshold": 0.3}
    the_card = card("PicoDet", nms=settings, fpn_stride=[8, 16, 32, 64])
    detector = BoxDetector(FunctionRuntime(raw_picodet(fold_batch, seen), "image"), the_card, batch_size=2)
    results = detector.detect([pixels(32, 64), pixels(64, 128), pixels(64, 128)])
    np.testing.assert_allclose(results[0].boxes_xyxy, [[4, 4, 20, 20]], atol=1e-4)
    for result in results[1:]:
        np.testing.assert_allclose(result.boxes_xyxy, [[8, 8, 40, 40]], atol=1e-4)
    assert seen == ([2, 1, 1, 1] if fold_batch else [2, 1])


def test_only_people_are_people() -> None:
    runtime = FunctionRuntime(lambda feeds: [], "image")
    for names, label in ((["dog", "Person"], 1), (["pedestrian"], 0), (["cat"], 0)):
        the_card = card()
        the_card.label_list = names
        assert BoxDetector(runtime, the_card).person_label == label


def test_what_is_no_detector_is_refused() -> None:
    with pytest.raises(ModelDirError, match="no detector"):
        BoxDetector(FunctionRuntime(lambda feeds: [], "image"), pose_card())
    strange = FunctionRuntime(lambda feeds: [np.zeros((1, 2, 3, 4, 5))], "image")
    with pytest.raises(ModelDirError, match=r"shapes \(1, 2, 3, 4, 5\)"):
        BoxDetector(strange, card()).detect([pixels(8, 8)])
    with pytest.raises(ModelDirError, match="wants the input 'anchors'"):
        BoxDetector(FunctionRuntime(lambda feeds: [], "image", "anchors"), card()).detect([pixels(8, 8)])


def test_the_class_of_the_pose_model_is_found_by_name() -> None:
    runtime, the_card = FunctionRuntime(lambda feeds: [], "image"), card()
    for names, label in ((["person", "Mouse"], 1), (["thing"], 0)):
        the_card.label_list = names
        detector = BoxDetector(runtime, the_card)
        assert open_detector(detector, "mouse") is detector and detector.person_label == label
    the_card.label_list = ["person", "dog"]
    with pytest.raises(ModelDirError, match="person, dog.*'mouse'"):
        _ = open_detector(BoxDetector(runtime, the_card), "mouse").person_label


def test_a_blank_image_shows_nobody() -> None:
    detector = open_detector("picodet_s_320_person")
    noise = np.random.default_rng(0).normal(30, 4, (240, 320, 3)).clip(0, 255).astype(np.uint8)
    blank = [np.zeros((48, 64, 3), np.uint8), np.full((240, 320, 3), 128, np.uint8), noise, np.zeros((1, 1, 3), np.uint8)]
    assert [len(found) for found in detector.detect(blank)] == [0, 0, 0, 0]
    small = np.full((240, 320, 3), 200, np.uint8)
    small[100:125, 150:160] = 120
    assert not is_blank(small), "a person of 10 x 25 pixels before a wall"
