"""The rendered clip: the same every time, people where their keypoints are, visibility that tells the truth."""

from __future__ import annotations

import numpy as np
import pytest

from ppdet.skeletons.tables import COCO17
from ppdet.visualize.rendered_people import RenderedFrame, rendered_clip
from ppdet.visualize.rendered_people.body import arms_raised, joints_of, using_phone, walking, waving

NAMES = list(COCO17.names)


@pytest.fixture(scope="module")
def clip() -> list[RenderedFrame]:
    return list(rendered_clip(60))


def test_the_same_seed_gives_the_same_pixels_and_another_seed_other_people(clip: list[RenderedFrame]) -> None:
    again, other = next(rendered_clip(1)), next(rendered_clip(1, seed=1))
    assert np.array_equal(again.image, clip[0].image) and np.array_equal(again.keypoints, clip[0].keypoints)
    assert np.array_equal(other.keypoints, again.keypoints)
    assert np.abs(other.image.astype(int) - again.image).mean() > 5


def test_there_are_several_people_who_move_and_pass_each_other(clip: list[RenderedFrame]) -> None:
    assert clip[0].keypoints.shape == (5, 17, 2) and clip[0].image.shape == (360, 640, 3)
    hips = np.array([frame.keypoints[:2, 11, 0] for frame in clip])
    assert hips[0, 0] < hips[0, 1] and hips[-1, 0] > hips[-1, 1]
    path = np.ptp(np.array([frame.keypoints for frame in clip]), axis=0)  # (5, 17, 2)
    assert (path.max(axis=(1, 2)) > 2).all()


def test_visibility_is_zero_outside_and_one_behind_something(clip: list[RenderedFrame]) -> None:
    width, height = 640, 360
    for frame in clip:
        inside = ((frame.keypoints >= -0.5) & (frame.keypoints < [width - 0.5, height - 0.5])).all(2)
        assert np.array_equal(frame.visibility > 0, inside)
    behind_planter = np.array([frame.visibility[4] for frame in clip])
    assert (behind_planter[:, [NAMES.index("left_ankle"), NAMES.index("right_ankle")]] == 1).all()
    facing = np.array([frame.visibility[2] for frame in clip])
    assert (facing[:, NAMES.index("nose")] == 2).all() and (facing[:, NAMES.index("left_ankle")] == 2).all()


def test_a_seen_keypoint_lies_on_the_person(clip: list[RenderedFrame]) -> None:
    """The background is the same in every frame but for grain, so a person differs from it."""
    background = np.median([frame.image for frame in clip[::3]], axis=0)
    walker = clip[30]
    seen = walker.keypoints[0][walker.visibility[0] == 2].round().astype(int)
    differs = [np.abs(walker.image[y, x].astype(int) - background[y, x]).max() > 12 for x, y in seen]
    assert np.mean(differs) > 0.8


@pytest.mark.parametrize("posture", [walking, waving, arms_raised, using_phone])
def test_bones_keep_their_length_and_feet_the_floor(posture) -> None:
    for phase in np.linspace(0, 1, 7):
        joints = joints_of(posture(phase))
        for start, end, length in (("shoulder", "elbow", 0.186), ("elbow", "wrist", 0.146), ("hip", "knee", 0.245),
                                   ("knee", "ankle", 0.246)):  # fmt: skip
            for side in ("left", "right"):
                assert np.linalg.norm(joints[f"{side}_{start}"] - joints[f"{side}_{end}"]) == pytest.approx(length)
        assert min(joints["left_ankle"][1], joints["right_ankle"][1]) == pytest.approx(0.042)
        assert joints["left_shoulder"][0] > joints["right_shoulder"][0]


def test_arms_go_up() -> None:
    up = joints_of(arms_raised(0.5))
    assert up["left_wrist"][1] > up["head"][1] and up["right_wrist"][1] > up["head"][1]
    wave = joints_of(waving(0.0))
    assert wave["right_wrist"][1] > wave["head"][1] > wave["left_wrist"][1]
