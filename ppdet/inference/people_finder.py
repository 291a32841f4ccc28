"""Finds people in images in steps, so that a video's frames can be worked on at the same time: boxes, poses, choice of people.

Legend: N candidates, K keypoints, H W pixels.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ppdet.core.logger import get_logger
from ppdet.geometry.boxes import longer_sides
from ppdet.geometry.same_poses import LEAST_COMMON, without_twins
from ppdet.inference.estimators.base import People, PoseEstimator
from ppdet.inference.estimators.box_source import BoxSource
from ppdet.inference.estimators.detections import Detections
from ppdet.inference.model_card import BOX_KEY, IMAGE_BOX
from ppdet.inference.stage_timer import StageTimer
from ppdet.inference.tracking.candidates import NO_CANDIDATES, NOBODY, Boxes, Candidates, fitting_pairs
from ppdet.inference.tracking.tracker import VISIBLE_SCORE
from ppdet.inference.zones.zone import Zone, membership


@dataclass
class Look:
    """What is known so far about the people of one image.

    Attributes:
        image: (H, W, 3) RGB uint8.
        boxes: (N, 4) xyxy of everything that may be a person.
        scores: (N,).
        is_inside: (N,) bool: inside a zone, or there are none; only these get poses.
        keypoints: (N, K, 2) float32 image pixels.
        keypoint_scores: (N, K) float32.
        has_pose: (N,) bool: the rows of the two above that are known.
        everybody: the people, if the model finds them by itself; there is nothing left to do.
        appearance: (N, D) `Detections.looks`, or None.
    """

    image: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    is_inside: np.ndarray
    keypoints: np.ndarray
    keypoint_scores: np.ndarray
    has_pose: np.ndarray
    everybody: People | None = None
    appearance: np.ndarray | None = None


class Found(NamedTuple):
    """Who is in an image.

    Attributes:
        people: with poses.
        rest: people outside the zones, who have no poses.
        identities: (N,) int64 of `people`, if a tracker knew them before the poses; else None.
    """

    people: People
    rest: Boxes = NOBODY
    identities: np.ndarray | None = None


class PeopleFinder:
    """A detector and a pose model, or a pose model that finds people by itself. May be used from several threads.

    Args:
        detector: finds boxes; None: each whole image is one person's box.
        estimator: finds poses.
        det_threshold: smallest score of a person's box.
        person_threshold: smallest mean keypoint score of people whom the estimator found by itself.
        zones: only people inside one get poses.
        timer: records the stages.
        warned: places that were warned of already.
    """

    def __init__(
        self,
        detector: BoxSource | None,
        estimator: PoseEstimator,
        det_threshold: float,
        person_threshold: float,
        zones: Sequence[Zone],
        timer: StageTimer,
        warned: set[str],
    ) -> None:
        self.detector, self.estimator = detector, estimator
        self.det_threshold, self.person_threshold = det_threshold, person_threshold
        self.zones = tuple(zones)
        self.timer = timer
        self._warned = warned

    @property
    def is_parallel(self) -> bool:
        """Whether several images may be looked at at the same time: a user's own detector may count on their order."""
        return self.detector is None or hasattr(self.detector, "runtime")

    def look(self, images: Sequence[np.ndarray], paths: Sequence[str | None]) -> list[Look]:
        """Candidates of (H, W, 3) RGB uint8 images; a model that finds people by itself does all its work here."""
        if self.estimator.finds_people_itself:
            found = self.estimator.poses(images, None, self.person_threshold, self.timer)
            return [self.look_at(image, NOBODY.xyxy, NOBODY.scores, people) for image, people in zip(images, found)]
        return [self.look_at(image, one.boxes_xyxy, one.scores, None, one.looks)
                for image, one in zip(images, self._boxes(images, paths))]  # fmt: skip

    def look_at(
        self,
        image: np.ndarray,
        boxes: np.ndarray,
        scores: np.ndarray,
        everybody: People | None = None,
        appearance: np.ndarray | None = None,
    ) -> Look:
        """A look at an image whose candidates are known."""
        count, keypoints = len(boxes), self.estimator.skeleton.num_keypoints
        is_inside = np.ones(count, bool)
        if self.zones:
            is_inside = np.asarray(membership(self.zones, boxes, (image.shape[1], image.shape[0])).any(axis=1))
        return Look(image, boxes, scores, is_inside, np.zeros((count, keypoints, 2), np.float32),
                    np.zeros((count, keypoints), np.float32), np.zeros(count, bool), everybody, appearance)

    def sure_rows(self, look: Look) -> np.ndarray:
        """The candidates whose poses are needed in any case, and not known yet."""
        return np.flatnonzero((look.scores >= self.det_threshold) & look.is_inside & ~look.has_pose)

    def pose(self, work: Sequence[tuple[Look, np.ndarray]]) -> None:
        """Estimate the poses of some candidates of several images together, and put them into their looks.

        Args:
            work: looks, and the rows of their candidates. Threads may work on different rows of one look.
        """
        work = [(look, rows) for look, rows in work if len(rows)]
        if not work:
            return
        boxes = [(look.boxes[rows], look.scores[rows]) for look, rows in work]
        found = self.estimator.poses([look.image for look, _ in work], boxes, self.person_threshold, self.timer)
        for (look, rows), people in zip(work, found):
            look.keypoints[rows], look.keypoint_scores[rows] = people.keypoints, people.scores
            look.has_pose[rows] = True

    def people(
        self,
        look: Look,
        candidates: Candidates = NO_CANDIDATES,
        pose: Callable[[Look, np.ndarray], None] | None = None,
    ) -> Found:
        """The people of an image; estimates what poses are still missing.

        Args:
            look: at the image.
            candidates: what a tracker knows of it. With its `follow`, frames must come in order, and boxes are the tracker's.
            pose: estimates the poses of some candidates, like the method `pose`, which is the default.
        """
        if look.everybody is not None:
            return Found(look.everybody)
        identities = None
        if candidates.follow is None:
            keep = candidates.kept(look.boxes, look.scores, self.det_threshold)
        else:
            with self.timer.stage("track"):
                seen = candidates.followed(look.boxes, look.scores, look.appearance)
            look, identities, keep = self.look_at(look.image, seen.xyxy, seen.scores), seen.identities, np.ones(len(seen), bool)
        missing = np.flatnonzero(keep & look.is_inside & ~look.has_pose)
        if pose is None:
            self.pose([(look, missing)])
        else:
            pose(look, missing)
        rows, others = keep & look.is_inside, keep & ~look.is_inside
        if identities is None:
            rows = self._each_once(look, rows, candidates.expected)
        people = People(look.boxes[rows], look.scores[rows], look.keypoints[rows], look.keypoint_scores[rows])
        every = Boxes(look.boxes, look.scores, identities)
        return Found(people, every.of(others), every.of(rows).identities)

    def _each_once(self, look: Look, rows: np.ndarray, expected: np.ndarray | None) -> np.ndarray:
        """(N,) bool: `rows` without those in whose box the pose network saw somebody whom it saw better in another box.

        A network's boxes of one person and of a part of that person, or of a person with a bag, overlap too little for its NMS.
        Boxes that a user gives are all kept, those of objects with too few keypoints to tell, and two where a tracker expects two
        people: one may be hidden by the other.
        """
        if not hasattr(self.detector, "runtime") or self.estimator.skeleton.num_keypoints <= LEAST_COMMON:
            return rows
        boxes, scores = look.boxes[rows], look.keypoint_scores[rows]
        known = np.zeros(len(boxes), bool)
        if expected is not None and len(expected):
            known[fitting_pairs(boxes, expected)[0]] = True
        once = rows.copy()
        once[rows] = without_twins(look.keypoints[rows], scores >= VISIBLE_SCORE, longer_sides(boxes),
                                   look.scores[rows] * scores.mean(axis=1), known)
        return once

    def _boxes(self, images: Sequence[np.ndarray], paths: Sequence[str | None]) -> list[Detections]:
        """What may be people, for each image."""
        if self.detector is None:
            self._check_whole_images()
            whole = (np.array([[0, 0, image.shape[1], image.shape[0]]], np.float32) for image in images)
            return [Detections(box, np.ones(1, np.float32), np.zeros(1, np.int64)) for box in whole]
        with self.timer.stage("detect"):
            takes_paths = getattr(self.detector, "takes_paths", False)
            found = self.detector.detect(images, paths) if takes_paths else self.detector.detect(images)  # type: ignore[call-arg]
        return [one[np.isin(one.labels, self.detector.person_label)] for one in found]

    def _check_whole_images(self) -> None:
        """Warn once if whole images are taken as boxes by a model that was trained on boxes around people."""
        trained_on, place = self.estimator.card.extra.get(BOX_KEY, IMAGE_BOX), self.estimator.card.place
        if trained_on != IMAGE_BOX and place not in self._warned:
            self._warned.add(place)
            get_logger(__name__).warning(
                "%s was trained on boxes around each person (box: %s in its card), and without a detector each whole image is "
                "one person's box: expect poor poses unless the images are cut close. Give a detector, cut the images, or train "
                "with `box: image` in the datasets", place, trained_on)
