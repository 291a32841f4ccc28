"""Identities: kept while people move, given anew when they are gone."""

from __future__ import annotations

import numpy as np

from ppdet.inference.tracking.settings import TrackerSettings
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
    tracker = PersonTracker(SIGMAS, TrackerSettings(reentry_seconds=2.5 / 30))
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


def ids_of(tracker: PersonTracker, *places: tuple[float, float], **more: object) -> list[int]:
    return tracker.update(*people(*places), **more).tolist()


def test_motion_is_in_seconds_and_survives_dropped_frames_and_jumping_stamps() -> None:
    for seconds in ([0.1 * t for t in range(20)], [0.1 * t if t < 10 else 0.1 * t + 900 for t in range(20)],
                    [0.1 * t if t < 10 else 0.1 * t - 30 for t in range(20)]):
        tracker = PersonTracker(SIGMAS, fps=10)
        got = [ids_of(tracker, (200 * 0.1 * t, 0), (300, 5.0), seconds=stamp) for t, stamp in enumerate(seconds)]
        assert got == [[1, 2]] * 20
    tracker = PersonTracker(SIGMAS, fps=10)
    frames = [t for t in range(40) if t % 7 not in (3, 4)]  # a camera that drops frames
    assert all(ids_of(tracker, (150 * 0.1 * t, 0), seconds=0.1 * t) == [1] for t in frames)


def test_a_person_behind_another_comes_back_as_the_same() -> None:
    tracker = PersonTracker(SIGMAS)
    for t in range(60):
        places = [(4.0 * t, 0.0), (200.0, 4.0)]
        hidden = 40 <= t < 56
        got = ids_of(tracker, *(places[1:] if hidden else places))
        assert got == ([2] if hidden else [1, 2]), t


def test_boxes_of_low_score_continue_an_identity_and_start_none() -> None:
    tracker = PersonTracker(SIGMAS, TrackerSettings(high_score=0.5, low_score=0.2))
    assert ids_of(tracker, (0, 0), (200, 0), scores=np.array([0.9, 0.3])) == [1, 0]
    assert ids_of(tracker, (1, 0), (200, 0), scores=np.array([0.3, 0.3])) == [1, 0]
    assert ids_of(tracker, (2, 0), (200, 0), scores=np.array([0.1, 0.6])) == [0, 2]


def test_newcomers_count_as_persons_after_some_frames() -> None:
    tracker = PersonTracker(SIGMAS, TrackerSettings(min_hits=3))
    assert ids_of(tracker, (0, 0)) == [1] and tracker.persons == 1  # whoever is there at the start counts
    assert ids_of(tracker, (0, 0), (400, 0)) == [1, 2]
    ids_of(tracker, (0, 0))
    assert ids_of(tracker, (0, 0), (400, 0)) == [1, 3] and tracker.persons == 1  # a flicker is no person
    for _ in range(2):
        ids_of(tracker, (0, 0), (400, 0))
    assert tracker.persons == 2


def test_the_camera_jumps() -> None:
    places = [(100.0 * i, 30.0 * (i % 3)) for i in range(6)]
    tracker = PersonTracker(SIGMAS)
    for t in range(12):
        shift = 45.0 if t % 2 else 0.0
        assert ids_of(tracker, *((x + shift, y) for x, y in places)) == [1, 2, 3, 4, 5, 6]


def test_a_cut_ends_all_identities() -> None:
    tracker = PersonTracker(SIGMAS)
    ids_of(tracker, (0, 0))
    tracker.cut()
    assert ids_of(tracker, (0, 0)) == [2] and tracker.persons == 2


def test_empty_seconds_and_five_hundred_boxes_and_no_numbers() -> None:
    tracker = PersonTracker(SIGMAS)
    many = [(60.0 * (i % 25), 100.0 * (i // 25)) for i in range(500)]
    assert ids_of(tracker, *many) == list(range(1, 501)) == ids_of(tracker, *many)
    for _ in range(120):
        assert ids_of(tracker) == []
    assert tracker.identities == set()
    boxes, keypoints = people((0, 0), (100, 0))
    boxes[0, 2], keypoints[1, 0] = np.nan, np.inf
    assert tracker.update(boxes, keypoints).tolist() == [0, 501]
    assert np.isfinite(tracker.expected_boxes()).all()
