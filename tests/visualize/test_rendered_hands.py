"""Rendered hands: landmarks lie where the picture shows them, and files say what they hold."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ppdet.core.errors import ConfigError
from ppdet.image.io import read_image
from ppdet.visualize.rendered_hands import FINGERS, NAMES, rendered_hand, write_hands


def test_landmarks_lie_on_the_hand() -> None:
    for seed in range(4):
        hand = rendered_hand(seed, (240, 288), left=seed % 2 == 1)
        assert hand.pixels.shape == (288, 240) and hand.pixels.dtype == np.uint16 and hand.pixels.max() <= 4095
        assert hand.keypoints.shape == (len(NAMES), 2) and (hand.keypoints > 0).all() and (hand.keypoints < [239, 287]).all()
        ground = np.median(hand.pixels[:20, :20])
        found: dict[str, list[float]] = {"bone": [], "beyond": []}
        for finger in FINGERS:  # the last bone is bright half way, and there is nothing 20 pixels beyond its tip
            end, tip = (hand.keypoints[NAMES.index(f"{finger} {joint}")] for joint in ("end", "tip"))
            for what, point in (("bone", (end + tip) / 2), ("beyond", tip + 20 * (tip - end) / np.linalg.norm(tip - end))):
                x, y = np.rint(point).astype(int)
                if 1 <= x < 239 and 1 <= y < 287:
                    found[what].append(hand.pixels[y - 1 : y + 2, x - 1 : x + 2].mean() / ground)
        assert min(found["bone"]) > 3 and np.median(found["beyond"]) < 1.5


def test_the_same_seed_gives_the_same_hand_and_left_is_its_mirror_image() -> None:
    one, two, other = (rendered_hand(seed, (200, 240)) for seed in (3, 3, 4))
    assert np.array_equal(one.pixels, two.pixels) and np.abs(one.keypoints - other.keypoints).max() > 1
    thumb, little = NAMES.index("thumb tip"), NAMES.index("little tip")
    left = rendered_hand(3, (200, 240), left=True)
    assert one.keypoints[thumb, 0] < one.keypoints[little, 0] and left.keypoints[thumb, 0] > left.keypoints[little, 0]


def test_files(tmp_path: Path) -> None:
    path = write_hands(tmp_path, 2, seed=5, size_wh=(160, 192))
    content = json.loads(path.read_text())
    assert content["categories"][0]["keypoints"] == list(NAMES) and content["images"][0]["pixel_spacing"][0] > 0
    first = np.array(content["annotations"][0]["keypoints"]).reshape(-1, 3)
    np.testing.assert_allclose(first[:, :2], rendered_hand(5, (160, 192)).keypoints, atol=1e-3)
    with pytest.raises(ConfigError, match="1 or more"):
        write_hands(tmp_path, 0)
    with pytest.raises(ConfigError, match="100 pixels"):
        rendered_hand(0, (50, 200))


def test_dicom_shows_the_same_hands_whether_bones_are_white_or_black(tmp_path: Path) -> None:
    pytest.importorskip("pydicom")
    write_hands(tmp_path / "dicom", 2, size_wh=(160, 192), dicom=True)
    for number in range(2):
        shown = read_image(tmp_path / "dicom" / "images" / f"hand_{number:04d}.dcm").astype(int)
        wanted = rendered_hand(number, (160, 192)).pixels / 4095 * 255
        assert np.abs(shown[..., 0] - wanted).max() <= 1
