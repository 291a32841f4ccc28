"""Flip test and multi-scale test of bottom-up models against plain NumPy and OpenCV."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import paddle
import paddle.nn.functional as F
import pytest
from support.planted_group import SIDE, SKELETON, TAG_GAIN, bottom_up_card, bottom_up_codec, group_image

from ppdet.core.errors import ConfigError, ModelDirError
from ppdet.engine.tasks.bottom_up import BottomUpTask
from ppdet.engine.tasks.bottom_up_prediction import BottomUpPredictor, bottom_up_setting, scales_of
from ppdet.engine.tasks.deployed_form import DeployedForm
from ppdet.modeling.export.bottom_up import BottomUpExport

PEOPLE = np.array([[[60.0, 80.0], [110.0, 85.0]], [[200.0, 60.0], [250.0, 150.0]], [[330.0, 180.0], [300.0, 210.0]]])


class PlantedMaps(paddle.nn.Layer):
    """The planted network as a bottom-up model: maps of two resolutions. It takes any hand as both, weighted by colour, so that
    left and right differ and a mirror image still shows hands."""

    def forward(self, images: paddle.Tensor) -> dict:
        hands = paddle.stack([images[:, 0] + 0.9 * images[:, 1], 0.8 * images[:, 0] + images[:, 1]], axis=1)
        blue = paddle.concat([images[:, 2:], images[:, 2:]], axis=1) * TAG_GAIN
        return {"heatmap_1x": F.avg_pool2d(hands, 4), "heatmap_2x": F.avg_pool2d(hands, 2), "tag": F.avg_pool2d(blue, 4)}


def predictor(flip_test: bool, scales: tuple[float, ...], network: Any = None, **changes) -> BottomUpPredictor:
    """A predictor of planted maps; `network` replaces the network that gives them after the graph was checked."""
    codec = bottom_up_codec(**changes)
    model = PlantedMaps()
    layer = BottomUpExport(model, codec)
    form = DeployedForm(layer, bottom_up_card(codec=codec), layer.input_spec(), tuple(layer.output_names))
    return BottomUpPredictor(form, network or model, flip_test, scales)


def resized(maps: np.ndarray, wh: tuple[int, int]) -> np.ndarray:
    """(K, h, w) to (K, H, W), bilinear by cell edges, which is cv2's way."""
    return np.stack([cv2.resize(each, wh, interpolation=cv2.INTER_LINEAR) for each in maps])


def plain_maps(tensor: np.ndarray, wh: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Heat (K, H, W) and tags (K, H, W, 1) of one image, as the authors bring them to one size."""
    maps = {name: value.numpy()[0] for name, value in PlantedMaps()(paddle.to_tensor(tensor)).items()}
    half = tuple(maps["heatmap_2x"].shape[:0:-1])
    heat = (resized(maps["heatmap_1x"], half) + maps["heatmap_2x"]) / 2
    return resized(heat, wh), resized(resized(maps["tag"], half), wh)[..., None]


@pytest.mark.parametrize("flip_test", [False, True])
@pytest.mark.parametrize("scales", [(1.0,), (2.0, 1.0, 0.5), (1.0, 0.5)])
def test_maps_are_averaged_as_the_authors_do(flip_test: bool, scales: tuple[float, ...]) -> None:
    image = group_image((390, 310), PEOPLE, 8.0)
    tested = predictor(flip_test, scales)
    found, frame = tested.candidates(image)
    codec, heats, tags = tested.codec, [], None
    for scale in scales:
        at_scale = codec.frame_for_image((390, 310), scale, min(scales))
        tensor = (codec.extract(image, at_scale).transpose(0, 3, 1, 2) / 255).astype(np.float32)
        maps = plain_maps(tensor, frame.input_wh)
        if flip_test:
            maps = codec.merge_flipped(maps, plain_maps(tensor[..., ::-1].copy(), frame.input_wh), SKELETON)
        heats.append(maps[0])
        tags = maps[1] if scale == 1 else tags
    assert frame.input_wh == codec.frame_for_image((390, 310), 1.0, min(scales)).input_wh
    expected = codec.candidates(np.mean(heats, axis=0), tags)
    assert found.tag.shape[2] == (2 if flip_test else 1)
    np.testing.assert_allclose(found.score, expected.score, atol=1e-5)
    np.testing.assert_allclose(found.cell_score, expected.cell_score, atol=1e-5)
    sure = expected.score > 0.3
    np.testing.assert_allclose(found.tag[sure], expected.tag[sure], atol=1e-3)
    np.testing.assert_array_equal(found.xy[sure], expected.xy[sure])


@pytest.mark.parametrize("scales", [(1.0,), (2.0, 1.0, 0.5), (2.0,), (0.5,)])
def test_people_are_where_they_are_at_every_scale(scales: tuple[float, ...]) -> None:
    people = predictor(True, scales, detection_threshold=0.5).people(group_image((400, 300), PEOPLE, 10.0))
    hands, most = PEOPLE.reshape(-1, 2), 3.0 if 1.0 in scales else 3.0 / scales[0]
    for joint in range(2):  # any hand counts as both
        apart = np.linalg.norm(people.keypoints[:, joint][:, None] - hands[None], axis=2)
        assert sorted(apart.argmin(axis=1)) == list(range(6)) and apart.min(axis=1).max() < max(most, 3.0)


def test_the_plain_setting_runs_what_is_deployed() -> None:
    """One scale and no flip: the exported graph's own layer, so that weights and export cannot differ."""
    image = group_image((400, 300), PEOPLE, 8.0)
    averaging = predictor(False, (1.0,))
    plain = averaging.__class__.__mro__[1](averaging.runtime, averaging.card)
    ours, theirs = averaging.people(image), plain.people(image)
    for one, other in zip(ours, theirs):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(
    ("value", "scales"),
    [(None, (1.0,)), (1, (1.0,)), ([0.5, 1, 2], (2.0, 1.0, 0.5)), ([1, 1.5, 1], (1.5, 1.0)), ([0.5, 0.75, 1.0], (1.0, 0.75, 0.5)),
     (1.5, (1.5,))],
)  # fmt: skip
def test_scales(value, scales) -> None:
    assert scales_of({} if value is None else {"test_scales": value}) == scales


@pytest.mark.parametrize(
    ("value", "words"),
    [([], "positive numbers"), ("1,2", "positive numbers"), ([0, 1], "positive"), ([True], "positive"),
     ([100, 1], "from 0.125 to 4"), ([1, 0.01], "from 0.125 to 4"), ([0.5, 2], "one must be 1"),
     ([0.75, 1], "multiple of half the smallest")],
)  # fmt: skip
def test_scales_that_cannot_be_tested(value, words) -> None:
    with pytest.raises(ConfigError, match=words):
        scales_of({"test_scales": value})


def test_nan_weights_are_an_error() -> None:
    def broken(images: paddle.Tensor) -> dict:
        return {name: maps * float("nan") for name, maps in PlantedMaps()(images).items()}

    with pytest.raises(ModelDirError, match="finite"):
        predictor(True, (1.0,), broken).people(group_image((400, 300), PEOPLE, 8.0))


def test_the_setting_names_what_a_figure_depends_on() -> None:
    text = bottom_up_setting(predictor(True, (2.0, 1.0)), {}, 7, "float32")
    for part in ("7 images", f"short side {SIDE}", "flip test on", "scales 2, 1", "from 0.3", "tags within 1.4", "refine on"):
        assert part in text, text
    config = {"architecture": "HigherHRNet", "HigherHRNet": {"eval_flip": False}}
    plain = bottom_up_setting(predictor(False, (1.0,), refine=False), config, 7, "float32")
    assert plain.endswith("float32") and "flip test off;" in plain and "scale 1;" in plain and "refine off" in plain


def test_an_exported_model_is_not_tested_at_several_scales() -> None:
    from ppdet.engine.tasks.exported_model import ExportedModel

    exported = ExportedModel.__new__(ExportedModel)
    assembly = SimpleNamespace(config={"test_scales": [1, 2]}, skeleton=SKELETON)
    with pytest.raises(ConfigError, match="leave out --model_dir"):
        BottomUpTask().estimator(assembly, exported)
