"""One person who was found twice."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ppdet.geometry.same_poses import SAME_SHARE, same_poses, without_twins

SPREAD = np.stack([np.arange(8) * 10.0, np.arange(8) * 20.0], axis=1)
ALL = np.ones(8, bool)


def test_the_same_pose_at_the_same_place() -> None:
    poses = np.stack([SPREAD, SPREAD + 1, SPREAD + 60])
    visible, sizes = np.ones((3, 8), bool), np.array([140.0, 140, 140])
    assert same_poses(poses, visible, sizes).tolist() == [[0, 1]]
    assert same_poses(poses, visible, np.array([140.0, 20, 140])).tolist() == []  # a pixel and a half of a small person
    visible[1, :5] = False
    assert same_poses(poses, visible, sizes).tolist() == []  # three in common tell too little
    visible[1, 0] = True
    assert same_poses(poses, visible, sizes).tolist() == [[0, 1]]
    for count in (0, 1):
        assert same_poses(poses[:count], visible[:count], sizes[:count]).shape == (0, 2)


def test_only_common_keypoints_count() -> None:
    half = SPREAD + 2
    half[6:] += 500
    visible = np.stack([ALL, np.arange(8) < 6])
    assert len(same_poses(np.stack([SPREAD, half]), visible, np.array([140.0, 80]))) == 1
    assert len(same_poses(np.stack([SPREAD, half]), np.ones((2, 8), bool), np.array([140.0, 80]))) == 0


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 100)), max_size=9))
def test_everybody_once_and_nobody_lost(people: list[tuple[int, int]]) -> None:
    places = np.array([place for place, _ in people], float)
    ranking = np.array([score for _, score in people], float)
    poses = SPREAD + 100 * places[:, None, None] + np.arange(len(people))[:, None, None] * 0.1
    count = len(people)
    keep = without_twins(poses, np.ones((count, 8), bool), np.full(count, 140.0), ranking, np.zeros(count, bool))
    assert sorted(places[keep].tolist()) == sorted(set(places.tolist()))
    for place, score in zip(places[keep], ranking[keep]):
        assert score == ranking[places == place].max()


def test_who_is_near_to_somebody_left_out_stays() -> None:
    step = 0.8 * SAME_SHARE * 140 / np.sqrt(2)
    chain = np.stack([SPREAD, SPREAD + step, SPREAD + 2 * step])
    arguments = chain, np.ones((3, 8), bool), np.full(3, 140.0)
    nobody = np.zeros(3, bool)
    assert without_twins(*arguments, np.array([3.0, 2, 1]), nobody).tolist() == [True, False, True]
    assert without_twins(*arguments, np.array([1.0, 3, 2]), nobody).tolist() == [False, True, False]


def test_known_people_stay_and_come_first() -> None:
    arguments = np.stack([SPREAD, SPREAD + 1]), np.ones((2, 8), bool), np.full(2, 140.0), np.array([3.0, 2])
    for known, kept in (([False, False], [True, False]), ([True, True], [True, True]), ([False, True], [False, True])):
        assert without_twins(*arguments, np.array(known)).tolist() == kept
