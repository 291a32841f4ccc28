"""Memory of frames is used again, and never while somebody holds it."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.inference.video.buffers import FrameBuffers


def test_memory_is_used_again_when_nobody_holds_it() -> None:
    buffers = FrameBuffers()
    first = buffers.empty((4, 6, 3))
    second = buffers.empty((4, 6, 3))
    assert not np.shares_memory(first, second)
    place = first.ctypes.data
    del first
    assert buffers.empty((4, 6, 3)).ctypes.data == place


@pytest.mark.parametrize("hold", [lambda image: image, lambda image: image[1:, ::2], lambda image: memoryview(image),
                                  lambda image: image.reshape(-1).view(np.int8), lambda image: {"frame": [image]}])  # fmt: skip
def test_what_is_held_keeps_its_pixels(hold: object) -> None:
    buffers = FrameBuffers(most=4)
    held = [hold(buffers.copy_of(np.full((8, 8, 3), value, np.uint8))) for value in range(10)]  # type: ignore[operator]
    for value, each in enumerate(held):
        pixels = each["frame"][0] if isinstance(each, dict) else each
        assert np.unique(np.asarray(pixels)).tolist() == [value]


def test_another_size_gets_its_own_memory() -> None:
    buffers = FrameBuffers(most=2)
    for shape in ((4, 4, 3), (8, 2, 3), (4, 4, 3)):
        assert buffers.empty(shape).shape == shape


def test_a_copy_of_a_part_of_an_image_is_contiguous() -> None:
    image = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)[:, 1:5]
    copy = FrameBuffers().copy_of(image)
    assert copy.flags.c_contiguous and np.array_equal(copy, image)
