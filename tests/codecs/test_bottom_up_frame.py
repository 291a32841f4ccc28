"""The whole image as input of a bottom-up network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ppdet.codecs import AssociativeEmbeddingCodec
from ppdet.core.errors import ConfigError, DataError

CODEC = AssociativeEmbeddingCodec()


@pytest.mark.parametrize(
    ("image_wh", "input_wh", "center"),
    [
        ((640, 480), (704, 512), (320, 240)),
        ((480, 640), (512, 704), (240, 320)),
        ((427, 640), (512, 768), (214, 320)),  # 767.4 up to a multiple of 64; 213.5 up
        ((512, 512), (512, 512), (256, 256)),
        ((10, 10), (512, 512), (5, 5)),
        ((1, 1), (512, 512), (1, 1)),
    ],
)
def test_sizes_of_the_authors(image_wh: tuple[int, int], input_wh: tuple[int, int], center: tuple[int, int]) -> None:
    frame = CODEC.frame_for_image(image_wh)
    assert frame.input_wh == input_wh
    assert tuple(frame.center_xy[0]) == center
    np.testing.assert_allclose(frame.matrix[0, :, :2], np.eye(2) * 512 / min(image_wh))
    np.testing.assert_allclose(frame.to_input(frame.center_xy[:, None])[0, 0], np.array(input_wh) / 2)


def test_scales_of_one_test_show_the_same_part() -> None:
    frames = [CODEC.frame_for_image((640, 427), scale, min_scale=0.5) for scale in (0.5, 1.0, 2.0)]
    assert [frame.input_wh for frame in frames] == [(384, 256), (768, 512), (1536, 1024)]
    for frame in frames:
        np.testing.assert_allclose(frame.size_wh, frames[0].size_wh)
    with pytest.raises(DataError, match="min_scale"):
        CODEC.frame_for_image((640, 427), 0.5, min_scale=1.0)


def test_paddledet_rounds_the_centre_to_even() -> None:
    exact = AssociativeEmbeddingCodec(paddledet_exact=True)
    assert tuple(exact.frame_for_image((373, 300)).center_xy[0]) == (186, 150)
    assert tuple(CODEC.frame_for_image((373, 300)).center_xy[0]) == (187, 150)


@settings(max_examples=200, deadline=None)
@given(width=st.integers(1, 6000), height=st.integers(1, 6000))
@example(width=1218, height=4265)
def test_any_image_fits_and_stays_bounded(width: int, height: int) -> None:
    frame = CODEC.frame_for_image((width, height))
    assert all(side % 64 == 0 for side in frame.input_wh)
    assert max(frame.input_wh) <= 8 * 512 + 64 and min(frame.input_wh) <= 512
    scale = np.array(frame.input_wh) / frame.size_wh[0]
    np.testing.assert_allclose(scale[0], scale[1])
    corners = frame.to_input(np.array([[[0.0, 0.0], [width, height]]]))[0]
    lost = 0.5 * scale + 0.5  # the centre is rounded to pixels, and a fraction of an input pixel beyond a multiple does not count
    assert (corners >= -lost).all() and (corners <= np.array(frame.input_wh) + lost).all()


@pytest.mark.parametrize("image_wh", [(53, 2650), (2650, 53)])  # sizes of no other test: each size is logged once per process
def test_a_strip_is_shrunk_with_one_warning(image_wh: tuple[int, int], caplog: pytest.LogCaptureFixture) -> None:
    frame, *_ = [CODEC.frame_for_image(image_wh) for _ in range(3)]  # as for the frames of a video
    assert sorted(frame.input_wh) == [128, 4096]
    assert [record.getMessage().count("too long and thin") for record in caplog.records] == [1]
    image = np.zeros((image_wh[1], image_wh[0], 3), np.uint8)
    assert CODEC.extract(image, frame).shape == (1, frame.input_wh[1], frame.input_wh[0], 3)


def test_an_image_without_pixels() -> None:
    with pytest.raises(DataError, match="0 x 20"):
        CODEC.frame_for_image((0, 20))


def test_round_trip_and_unknown_values() -> None:
    codec = AssociativeEmbeddingCodec(input_wh=(640, 640), joint_order=[1, 0, 2], paddledet_exact=True, matching="authors")
    assert AssociativeEmbeddingCodec.from_dict(codec.to_dict()).to_dict() == codec.to_dict()
    assert codec.kind == "bottom_up"
    wrongs = [
        {"input_wh": (510, 512)},
        {"input_wh": (512,)},
        {"strides": (2, 4)},
        {"sigma": 0},
        {"max_people": 0},
        {"joint_order": [1, 2, 3]},
        {"refine_cell": 5},
        {"detection_threshold": -0.1},
        {"matching": "x"},
    ]
    for wrong in wrongs:
        with pytest.raises(ConfigError, match="codec"):
            AssociativeEmbeddingCodec(**wrong)
    with pytest.raises(ConfigError, match="unknown key sigmas"):
        AssociativeEmbeddingCodec.from_dict({"sigmas": 2})
