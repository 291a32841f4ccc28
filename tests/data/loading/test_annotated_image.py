"""The annotated size decides whether an EXIF orientation counts; where it cannot, a switch does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.image_files import with_exif

from ppdet.core.errors import ConfigError, DataError
from ppdet.data.loading.image_store import AnnotatedImageReader


@pytest.fixture
def photo(tmp_path: Path):
    """A function that writes a photo of 30 x 20 stored pixels, dark on the left, with an orientation."""
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:, 15:] = 255

    def write(orientation: int) -> str:
        return str(with_exif(tmp_path / f"{orientation}.jpg", pixels, orientation))

    return write


@pytest.mark.parametrize(("stated", "shape"), [((30, 20), (20, 30, 3)), ((20, 30), (30, 20, 3))])
def test_the_stated_size_decides_a_quarter_turn(photo, stated, shape) -> None:
    assert AnnotatedImageReader().read(photo(6), np.array(stated)).shape == shape


@pytest.mark.parametrize(("orientation", "stated"), [(3, (30, 20)), (2, (30, 20)), (6, (0, 0)), (3, (0, 0))])
def test_what_the_size_cannot_decide_is_refused(photo, orientation: int, stated: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="exif_orientation: turned .* exif_orientation: stored"):
        AnnotatedImageReader().read(photo(orientation), np.array(stated))


def test_the_switch_settles_it(photo) -> None:
    left = {choice: AnnotatedImageReader(exif_orientation=choice).read(photo(3), np.array([30, 20]))[0, 0, 0]
            for choice in ("stored", "turned")}  # fmt: skip
    assert left["stored"] < 50 and left["turned"] > 200
    with pytest.raises(DataError, match="is 30x20, but its annotations are for 20x30"):
        AnnotatedImageReader(exif_orientation="stored").read(photo(6), np.array([20, 30]))
    with pytest.raises(ConfigError, match="exif_orientation is one of auto, stored, turned"):
        AnnotatedImageReader(exif_orientation="yes")


def test_an_upright_photo_needs_no_size(photo) -> None:
    assert AnnotatedImageReader().read(photo(1), np.zeros(2)).shape == (20, 30, 3)
