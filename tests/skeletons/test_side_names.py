"""Left and right in names of keypoints."""

from __future__ import annotations

import pytest

from ppdet.skeletons.side_names import mirror_partners, plain_name, side_of


@pytest.mark.parametrize(
    "left, right",
    [("left_ear", "right_ear"), ("leftear", "rightear"), ("earL", "earR"), ("ear.l", "ear.r"), ("LAnkle", "RAnkle"), ("Left Knee",
     "Right Knee"), ("kneeLeft2", "kneeRight2"), ("左手", "右手"), ("L1", "R1"), ("hip-l", "hip-r"),
     ("левая рука", "правая рука")],
)  # fmt: skip
def test_partners_and_sides(left: str, right: str) -> None:
    assert mirror_partners(["nose", left, right]) == {left: right, right: left}
    assert (side_of(left), side_of(right), side_of("nose")) == ("left", "right", None)


def test_names_without_a_partner_stay_alone() -> None:
    assert mirror_partners(["left_ear", "nose", "bright", "leg", "tail"]) == {}
    assert mirror_partners(["left_ear", "right_ear", "leftear"]) == {}, "two names are the left ear"


def test_plain_names() -> None:
    names = ["earL", "leftEar", "Left Ear", "ear_left", "l_ear", "leftear", "earleft"]
    assert {plain_name(name) for name in names} == {"left_ear"}
    assert plain_name("head_top") == "head_top"
