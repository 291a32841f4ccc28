"""Identities: kept while people move, given anew when they are gone."""

from __future__ import annotations

import numpy as np

from ppdet.inference.tracking.tracker import PersonTracker

SIGMAS = np.full(5, 0.08)  # any number of keypoints


def people(*places: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of 40 x 80 at the places, with five keypoints down their middle."""
    corners = np.array(places, float).reshape(-1, 2)
    boxes = np.concatenate([corners, corners + [40, 80]], axis=1)
    keypoints = corners[:, None] + np.stack([np.full(5, 20.0), np.linspace(8, 72, 5)], axis=1)
    return boxes, keypoints


def test_identities_follow_people_whatever_their_order() -> None:
    tracker = PersonTracker(SIGMAS)
    assert tracker.update(*people((0, 0), (100, 0))).tolist() == [1, 2]
    assert tracker.update(*people((104, 2), (3, 1))).tolist() == [2, 1]
    assert tracker.update(*people((6, 2), (300, 0), (108, 3))).tolist() == [1, 3, 2]


def test_two_people_who_cross_are_kept_apart_by_their_poses() -> None:
    tracker = PersonTracker(SIGMAS)
    ids = [tracker.update(*people((5.0 * t, 0), (100 - 5.0 * t, 14))).tolist() for t in range(21)]
    assert all(frame == [1, 2] for frame in ids)


def test_a_person_who_is_gone_is_forgotten() -> None:
    tracker = PersonTracker(SIGMAS, max_missed=2)
    tracker.update(*people((0, 0)))
    for _ in range(2):
        assert tracker.update(*people()).tolist() == []
    assert tracker.identities == {1}
    assert tracker.update(*people((0, 0))).tolist() == [1]  # back in time
    for _ in range(3):
        tracker.update(*people())
    assert tracker.identities == set()
    assert tracker.update(*people((0, 0))).tolist() == [2]


def test_far_apart_is_somebody_else() -> None:
    tracker = PersonTracker(SIGMAS)
    tracker.update(*people((0, 0)))
    assert tracker.update(*people((200, 200))).tolist() == [2]
