"""The flip test: one batch of crops and their mirror images, merged where the keypoints really are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ppdet.codecs import Codec, HeatmapCodec
from ppdet.codecs.simcc import SimCCCodec
from ppdet.core.errors import ConfigError
from ppdet.skeletons import Skeleton

PAIR = Skeleton.from_dict({"name": "pair", "keypoints": ["nose", {"name": "left", "mirror": "right"},
                                                         {"name": "right", "mirror": "left"}]})  # fmt: skip
XY = np.array([[[40.0, 30.0], [20.0, 60.0], [70.0, 90.0]], [[50.0, 70.0], [30.0, 40.0], [60.0, 20.0]]])
WH = (96, 128)


def perfect(codec: Codec, sure: float = 1.0) -> Callable[[np.ndarray], Any]:
    """A network that sees the right answer in plain crops and the mirrored one, of `sure` times the height, in the others."""

    def run(inputs: np.ndarray) -> Any:
        mirrored = XY[:, PAIR.flip_permutation].copy()
        mirrored[..., 0] = WH[0] - 1 - mirrored[..., 0]
        assert (inputs[:2, :, :, ::-1] == inputs[2:]).all()
        seen = np.ones((2, 3))
        plain, flipped = codec.encode(XY, seen)[0], codec.encode(mirrored, seen)[0]
        if isinstance(plain, np.ndarray):
            return np.concatenate([plain, sure * flipped])
        return tuple(np.concatenate(pair) for pair in zip(plain, flipped))

    return run


@pytest.mark.parametrize("codec", [HeatmapCodec(WH), HeatmapCodec(WH, grid="unit", alignment="udp"), SimCCCodec(WH)], ids=repr)
def test_both_halves_say_the_same(codec: Codec) -> None:
    inputs = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)
    merged = codec.flip_tested(perfect(codec), inputs, PAIR)
    crop = codec.crop_at(np.tile([300.0, 200.0], (2, 1)), np.tile(WH, (2, 1)), np.zeros(2))
    xy, _ = codec.decode(merged, crop)
    np.testing.assert_allclose(crop.to_input(xy), XY, atol=0.03)  # between cells, linearly


def test_the_mean_of_both_is_taken() -> None:
    codec = HeatmapCodec(WH, grid="unit", alignment="udp")
    inputs = np.zeros((2, 3, 8, 8), np.float32)
    plain, _ = codec.encode(XY, np.ones((2, 3)))
    merged = codec.flip_tested(perfect(codec, sure=0.5), inputs, PAIR)
    np.testing.assert_allclose(merged, 0.75 * plain, atol=1e-6)


def test_a_codec_shows_its_settings_and_refuses_two_names_of_one() -> None:
    codec = HeatmapCodec(WH, sigma=3.0)
    assert repr(codec).startswith("HeatmapCodec(input_wh=[96, 128], heatmap_wh=[24, 32], sigma=3.0")
    content = codec.to_dict()
    assert HeatmapCodec.from_dict({**content, "crop": "affine"}).to_dict() == content
    with pytest.raises(ConfigError, match="crop is the older name of alignment, and the two differ; leave crop out"):
        HeatmapCodec.from_dict({**content, "crop": "udp"})
