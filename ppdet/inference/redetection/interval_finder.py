"""Finds the people of a stream's frames with a detector that does not run on every frame."""
from __future__ import annotations

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.inference.divided_poses import DividedPoses
from ppdet.inference.estimators.base import People
from ppdet.inference.people_finder import Found, PeopleFinder
from ppdet.inference.redetection.border_motion import BorderMotion
from ppdet.inference.redetection.carried import Carried
from ppdet.inference.redetection.schedule import Interval, Schedule, checked_interval
from ppdet.inference.tracking.candidates import NOBODY, Boxes, Candidates


class IntervalFinder:
    """In between, people are expected where their last poses were.

    The detector runs on a frame when the interval is over, at a cut, when something other than the known people moves at the
    border, and at once when a pose turns out doubtful. One per stream; frames must come in order.

    Args:
        finder: finds people in single frames.
        interval: see `Schedule`.
        fps: frames per second.
        workers: threads that the people of a frame are divided among. Frames cannot be processed at the same time here, since
            each determines the boxes of the next.

    Attributes:
        frames, detections: how many frames came so far, and on how many the detector ran.

    Raises:
        ConfigError: there is no detector whose runs could be skipped.
    """

    def __init__(self, finder: PeopleFinder, interval: Interval, fps: float, workers: int = 1) -> None:
        check_has_detector(finder, interval)
        self.finder = finder
        self._pose = DividedPoses(finder, workers)
        self.frames = self.detections = 0
        self._schedule = Schedule(interval, fps)
        self._motion = BorderMotion()
        self._carried: Carried | None = None
        self._found: People | None = None
        self._was_due = self._has_looked = False
        self._rest: Boxes = NOBODY

    def people(
        self,
        image: np.ndarray,
        is_cut: bool = False,
        expected: np.ndarray | None = None,
        low_score: float = 1.0,
        upcoming: np.ndarray | None = None,
    ) -> Found:
        """The people of the next frame; see `PeopleFinder.people`. Then `follow` must be called.

        Args:
            image: (H, W, 3) RGB uint8.
            is_cut: it begins another scene.
            expected, low_score: see `Candidates`.
            upcoming: the frame after this one, which is of no use here.
        """
        self.frames += 1
        if is_cut:
            self._carried = None
        carried, size = self._carried, (image.shape[1], image.shape[0])
        is_moving = self._motion.is_moving(image, np.zeros((0, 4)) if carried is None else carried.boxes)
        self._was_due = self._schedule.is_due(is_cut, is_moving)
        self._has_looked = False
        if carried is not None and not self._was_due:
            people = self.pose_in(image, carried.boxes, carried.scores)
            if not carried.is_doubtful(people, size):
                self._carried = carried.moved(people, size)
                self._found = people._replace(boxes=self._carried.boxes)
                return Found(self._found, self._rest)
        self._has_looked = True
        self.detections += 1
        found = self.detected_in(image, expected, low_score)
        self._found, self._rest = found.people, found.rest
        return found

    def follow(self, kept: np.ndarray) -> None:
        """Say which of the people last returned are kept, so that they are expected in the next frames.

        Args:
            kept: (N,) bool. A detector gives many boxes of low score, of which a tracker keeps few.
        """
        if not self._has_looked or self._found is None:
            return
        people = People(*(each[kept] for each in self._found))
        known, self._carried = self._carried, Carried.detected(people)
        self._schedule.looked(known is not None and known.agrees(people.boxes), self._was_due)

    def close(self) -> None:
        """End the threads."""
        self._pose.close()

    def detected_in(self, image: np.ndarray, expected: np.ndarray | None, low_score: float) -> Found:
        """Whom the detector finds, whatever was known before; arguments as of `people`."""
        look = self.finder.look([image], [None])[0]
        return self.finder.people(look, Candidates(expected, low_score), self._pose)

    def pose_in(self, image: np.ndarray, boxes: np.ndarray, scores: np.ndarray) -> People:
        """The poses in (N, 4) boxes of people who were found before, so that zones do not matter any more."""
        look = self.finder.look_at(image, boxes, scores)
        look.is_inside[:] = True
        self._pose(look, np.arange(len(boxes)))
        return People(look.boxes, look.scores, look.keypoints, look.keypoint_scores)


def chosen_interval(finder: PeopleFinder, given: Interval | None, of_preset: Interval) -> Interval:
    """The interval to use.

    Args:
        finder: of the pipeline.
        given: by the user, or None.
        of_preset: the default for a detector whose runs can be skipped; one that brings its own tracker (FairMOT) must see
            every frame.

    Raises:
        ConfigError: it is not a valid interval, or see `check_has_detector`.
    """
    if given is None:
        has_detector = finder.detector is not None and not finder.estimator.finds_people_itself
        return of_preset if has_detector and not hasattr(finder.detector, "follower") else 1
    if checked_interval(given) != 1:
        check_has_detector(finder, given)
    return given


def check_has_detector(finder: PeopleFinder, interval: Interval) -> None:
    """Refuse an interval where no detector is used.

    Raises:
        ConfigError: see above.
    """
    if finder.estimator.finds_people_itself:
        raise ConfigError(f"det_interval is {interval}, but {finder.estimator.card.place} finds people by itself and needs no "
                          "detector: leave it out")
    if finder.detector is None:
        raise ConfigError(f"det_interval is {interval}, but there is no detector whose runs could be skipped: leave it out, or "
                          "give a detector")
