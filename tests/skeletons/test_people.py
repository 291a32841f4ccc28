"""Classes of people are known by their names and by those of their keypoints."""

from __future__ import annotations

import pytest

from ppdet.skeletons.people import shows_people
from ppdet.skeletons.tables import COCO17, LSP14, TABLES

AP10K = ["left_eye", "right_eye", "nose", "neck", "root_of_tail"] + [
    f"{side}_{part}" for part in ("shoulder", "elbow", "front_paw", "hip", "knee", "back_paw") for side in ("left", "right")
]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "called", "expected"),
    [
        (COCO17.names, "player", True),
        (LSP14.names, "skier", True),
        (AP10K, "dog", False),
        (["nose", "left_shoulder", "right_shoulder"], "Pedestrian", True),
        (["nose", "left_shoulder", "right_shoulder"], "mouse", False),
        (["nose", "chin", "brow"], "person", False),
        ([], "person", False),
    ],
)
def test_people(names: list[str], called: str, expected: bool) -> None:
    assert shows_people(names, called) == expected


def test_published_bodies_are_people() -> None:
    hands = [name for name, table in TABLES.items() if not shows_people(table.names, "x")]
    assert all("hand" in name for name in hands), hands
