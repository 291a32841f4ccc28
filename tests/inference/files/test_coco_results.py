"""Ids of a run are unique and do not depend on chance."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppdet.inference.files.coco_results import image_ids


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["000000000139.jpg", "7.png"], [139, 7]),
        (["2.jpg", "a.jpg"], [1, 2]),  # counting only the second would call both 2
        (["7.jpg", "007.jpg"], [1, 2]),
        (["7.jpg", "7.png"], [1, 2]),
        (["\u00b2.jpg", "1.jpg"], [1, 2]),  # a superscript two is a digit to str.isdigit
        ([], []),
    ],
)
def test_ids(names: list[str], ids: list[int]) -> None:
    assert image_ids([Path("folder") / name for name in names]) == ids
