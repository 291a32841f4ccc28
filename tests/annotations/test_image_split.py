"""Frames of one video stay together; every image is in one part."""

from __future__ import annotations

from typing import Any, Sequence

import pytest

from ppdet.annotations.image_split import image_groups, split_images
from ppdet.core.errors import DataError


def entries(names: Sequence[str], **more: Any) -> list[dict[str, Any]]:
    return [{"id": number, "file_name": name, **more} for number, name in enumerate(names)]


def test_whole_videos_go_to_validation() -> None:
    for names in (
        [f"v{v}/f{i}.png" for v in range(10) for i in range(12)],
        [f"v{v}_{i:04d}.png" for v in range(10) for i in range(12)],
    ):
        images = entries(names)
        split = split_images(images)
        assert split.train | split.val == set(range(120)) and not split.train & split.val
        assert len(split.val) == 24 and split.groups == 10
        groups, _ = image_groups(images)
        assert all(len(set(rows) & split.val) in (0, len(rows)) for rows in groups)


def test_a_key_of_the_images_comes_before_their_names() -> None:
    images = [{"id": i, "file_name": f"{i}.png", "video_id": i % 5} for i in range(50)]
    split = split_images(images)
    assert len({i % 5 for i in split.val}) == 1 and len(split.val) == 10 and "video_id" in split.why


def test_one_video_is_cut_into_blocks_and_photos_are_drawn() -> None:
    split = split_images(entries([f"frame_{i:05d}.png" for i in range(100)]))
    steps = [b - a for a, b in zip(sorted(split.val), sorted(split.val)[1:])]
    assert len(split.val) == 20 and sum(step > 1 for step in steps) == 3, "four blocks of five"
    photos = split_images(entries([f"{i * 7919 % 100003:06d}.jpg" for i in range(100)]))
    assert len(photos.val) == 20 and "at random" in photos.why
    assert split_images(entries([f"frame_{i:05d}.png" for i in range(100)])) == split, "the same every time"


def test_folders_train_and_val_are_kept() -> None:
    split = split_images(entries(["train/a.png", "train/b.png", "val/c.png", "test/d.png"]))
    assert (split.train, split.val) == ({0, 1}, {2}) and "1 in neither" in split.why


def test_two_images_are_enough_and_one_is_not() -> None:
    assert len(split_images(entries(["a.png", "b.png"])).val) == 1
    with pytest.raises(DataError, match="cannot be split"):
        split_images(entries(["a.png"]))
    with pytest.raises(DataError, match="between 0 and 1"):
        split_images(entries(["a.png", "b.png"]), 1.0)
