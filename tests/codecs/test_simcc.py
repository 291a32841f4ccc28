"""SimCC: image -> crop -> encode -> decode -> image, targets of known value, flip test, card."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ppdet.codecs import HeatmapCodec, SimCCCodec
from ppdet.codecs.axis_peaks import refine_gaussian
from ppdet.core.errors import ConfigError, DataError
from ppdet.inference.model_card import ModelCard
from ppdet.skeletons import get_skeleton

COCO = get_skeleton("coco17")
SIZES = [(192, 256), (288, 384), (256, 256), (96, 128)]


def _round_trip(codec: SimCCCodec, xy_input: np.ndarray, height: float = 1.0, base: float = 0.0) -> np.ndarray:
    """Largest error of each keypoint in bins after a trip through a rotated crop."""
    n = len(xy_input)
    size = np.tile(np.array(codec.input_wh) * 1.7, (n, 1))
    crop = codec.crop_at(np.tile([300.0, 200.0], (n, 1)), size, np.full(n, 31.0))
    targets, weight = codec.encode(crop.to_input(crop.to_image(xy_input)), np.ones(xy_input.shape[:2]))
    assert (weight == 1).all()
    xy, _ = codec.decode(tuple(height * each + base for each in targets), crop)
    return np.abs(crop.to_input(xy) - xy_input).max(axis=-1) * codec.split_ratio


@settings(max_examples=60, deadline=None)
@given(
    size=st.sampled_from(SIZES),
    ratio=st.sampled_from([1.0, 1.5, 2.0, 3.0]),
    alignment=st.sampled_from(["affine", "udp"]),
    height=st.floats(0.2, 20),
    base=st.floats(-10, 10),
    seed=st.integers(0, 2**31),
)
def test_subpixel_targets_come_back_to_a_hundredth_of_a_bin(size, ratio, alignment, height, base, seed) -> None:
    """Whatever factor and constant a network puts on its target: the softmax of its loss does not see the constant."""
    codec = SimCCCodec(size, ratio, alignment=alignment)
    xy = np.random.default_rng(seed).uniform(0, np.array(size) - 1, (4, 17, 2))
    assert _round_trip(codec, xy, height, base * height).max() < 0.01


@pytest.mark.parametrize(("target", "decoder"), [("rounded", "argmax"), ("rounded", "subpixel"), ("subpixel", "argmax")])
def test_whole_bins_miss_by_half_a_bin_at_most(target: str, decoder: str) -> None:
    codec = SimCCCodec((192, 256), target=target, decoder=decoder)
    error = _round_trip(codec, np.random.default_rng(0).uniform(0, (191, 255), (20, 17, 2)))
    assert 0.45 < error.max() <= 0.5 + 1e-6


def test_noise_costs_less_with_the_fit() -> None:
    """Of a noised response the highest bin is anywhere on the flat top; the fit looks a sigma to either side."""
    rng = np.random.default_rng(1)
    xy = rng.uniform(10, 180, (200, 17, 2))
    errors = {}
    for decoder in ("argmax", "subpixel"):
        codec = SimCCCodec((192, 256), decoder=decoder)
        targets, _ = codec.encode(xy, np.ones((200, 17)))
        noise = np.random.default_rng(2)
        uv, _ = codec.locate(*(each + noise.normal(0, 0.02, each.shape).astype(np.float32) for each in targets))
        errors[decoder] = np.abs(uv / 2 - xy).mean()
    assert errors["subpixel"] < 0.4 * errors["argmax"]


def test_targets_have_the_published_values() -> None:
    codec = SimCCCodec((192, 256), target="rounded")
    assert codec.bins == (384, 512)
    np.testing.assert_allclose(codec.sigma, (4.9, 5.66), atol=0.005)
    (x, y), weight = codec.encode(np.array([[[20.2, 30.3], [0.0, 255.0]]]), np.array([[1, 0]]))
    assert x.shape == (1, 2, 384) and y.shape == (1, 2, 512) and x.dtype == np.float32
    assert x[0, 0].argmax() == 40 and x[0, 0, 40] == 1 and y[0, 0].argmax() == 61  # 40.4 and 60.6 bins
    np.testing.assert_allclose(x[0, 0, 45], np.exp(-25 / 48), rtol=1e-5)  # 2 sigma^2 = 192 / 4
    np.testing.assert_allclose(y[0, 0, 66], np.exp(-25 / 64), rtol=1e-5)
    assert not x[0, 1].any() and not y[0, 1].any() and weight.tolist() == [[1, 0]]
    (x, _), _ = SimCCCodec((192, 256), normalize=True).encode(np.full((1, 1, 2), 96.0), np.ones((1, 1)))
    np.testing.assert_allclose(x.sum(), 1, atol=1e-5)


def test_keypoints_beyond_three_sigma_have_no_weight() -> None:
    codec = SimCCCodec((192, 256), sigma=4)  # bins; the 12 bins are 6 pixels
    xy = np.array([[[-5.0, 9], [-7, 9], [197, 9], [199, 9], [9, -7], [9, 263]]])
    _, weight = codec.encode(xy, np.ones((1, 6)))
    assert weight.tolist() == [[1, 0, 1, 0, 0, 0]]


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_a_mirrored_crop_agrees_with_the_plain_one(ratio: float) -> None:
    """A network that sees perfectly gives the same location for a crop and for its mirror image."""
    codec = SimCCCodec((192, 256), ratio)
    xy = np.random.default_rng(3).uniform(20, 170, (5, 17, 2))
    partner = np.asarray(COCO.flip_permutation)
    mirrored = xy[:, partner].copy()
    mirrored[..., 0] = 191 - mirrored[..., 0]
    plain, flipped = (codec.encode(each, np.ones((5, 17)))[0] for each in (xy, mirrored))
    np.testing.assert_allclose(codec.shift_after_flip, ratio - 1, atol=1e-9)
    merged = codec.merge_flipped(plain, flipped, COCO)
    atol = 0.01 if ratio != 1.5 else 0.02  # half a bin is interpolated
    for one, other in zip(merged, plain):
        np.testing.assert_allclose(one, other, atol=atol)
    uv, _ = codec.locate(*merged)
    np.testing.assert_allclose(uv / ratio, xy, atol=0.01)
    published = SimCCCodec((192, 256), 2.0, flip_shift=0)
    plain, flipped = (published.encode(each, np.ones((5, 17)))[0] for each in (xy, mirrored))
    uv, _ = published.locate(*published.merge_flipped(plain, flipped, COCO))
    np.testing.assert_allclose((uv / 2 - xy)[..., 0], 0.25, atol=0.01)  # a quarter of a pixel to the right


def test_score_is_the_smaller_maximum() -> None:
    codec = SimCCCodec((4, 4), 1, sigma=1)
    x, y = np.zeros((1, 2, 4), np.float32), np.zeros((1, 2, 4), np.float32)
    x[0, 0, 2], y[0, 0, 1], x[0, 1], y[0, 1] = 0.7, 1.4, -1, -2
    crop = codec.crop_for_boxes(np.array([[0.0, 0, 4, 4]]), padding=1)
    xy, scores = codec.decode((x, y), crop)
    np.testing.assert_allclose(scores, [[0.7, -2]])
    assert np.isfinite(xy).all()


def test_flat_and_jagged_responses_fall_back_to_the_highest_bin() -> None:
    responses = np.zeros((3, 12))
    responses[1, 0], responses[2, [3, 9]] = 1, (1, 0.9)
    bins = responses.argmax(axis=1)
    found = refine_gaussian(responses, bins, 3.0)
    assert (np.abs(found - bins) <= 1.5).all() and found[0] == 0
    assert refine_gaussian(np.zeros((1, 2)), np.zeros(1, np.int64), 3.0).tolist() == [0]
    spike = np.zeros((1, 20))
    spike[0, [3, 6, 12]] = 1, 0.9, 0.9  # the bins 0, 6 and 12 form a peak at 9, which is not that of bin 3
    assert refine_gaussian(spike, np.array([3]), 6.0).tolist() == [3]


@pytest.mark.parametrize(
    "wrong",
    [{"input_wh": [192]}, {"input_wh": [0, 256]}, {"split_ratio": 0.5}, {"sigma": 0.1}, {"sigma": [4.9]}, {"target": "one_hot"},
     {"decoder": "dark"}, {"alignment": "edge"}, {"flip_shift": -1}, {"split_ratio": float("nan")}],
)  # fmt: skip
def test_a_wrong_setting_is_named(wrong: dict) -> None:
    with pytest.raises(ConfigError, match=f"codec.*{next(iter(wrong))}"):
        SimCCCodec(**{"input_wh": [192, 256], **wrong})


def test_wrong_outputs_are_refused() -> None:
    codec = SimCCCodec((192, 256))
    crop = codec.crop_for_boxes(np.array([[0.0, 0, 40, 80]]))
    good = np.zeros((1, 17, 384), np.float32), np.zeros((1, 17, 512), np.float32)
    with pytest.raises(DataError, match=r"\(1, K, 384\).*given \(1, 17, 512\)"):
        codec.decode(good[::-1], crop)
    with pytest.raises(DataError, match="NaN"):
        codec.decode((good[0] * np.nan, good[1]), crop)


def test_outputs_are_picked_from_what_a_graph_gives() -> None:
    x, y, argmax = np.zeros((2, 17, 384)), np.zeros((2, 17, 512)), np.zeros((2, 17))
    found = SimCCCodec((192, 256)).outputs_of([argmax, x, y])
    assert found[0] is x and found[1] is y
    maps = np.zeros((2, 17, 64, 48))
    assert HeatmapCodec((192, 256)).outputs_of([maps, argmax]) is maps
    with pytest.raises(DataError, match=r"\(2, 17\): expected simcc_x of 3 axes, simcc_y of 3 axes"):
        SimCCCodec((192, 256)).outputs_of([argmax])


def test_the_card_rebuilds_it() -> None:
    codec = SimCCCodec((192, 256), sigma=(5, 6), target="rounded", decoder="argmax", flip_shift=0.0)
    card = ModelCard("HRNet", [{"type": "TopDownEvalAffine"}], codec=codec)
    content = card.to_dict()
    assert content["codec"]["input_wh"] == [192, 256]
    again = ModelCard.from_dict(content).codec
    assert isinstance(again, SimCCCodec) and again.to_dict() == codec.to_dict()
    assert ModelCard.from_dict(content).kind == "top_down"


def test_mmposes_names_are_understood() -> None:
    codec = SimCCCodec.from_dict({"input_size": [192, 256], "simcc_split_ratio": 2.0, "sigma": [4.9, 5.66], "normalize": False})
    assert codec.bins == (384, 512) and codec.sigma == (4.9, 5.66)
