"""Counts who enters and leaves zones, by identity.

Legend: N people, Z zones.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ppdet.inference.zones.view import ENTER, LEAVE, ZoneCount, ZoneEvent, ZoneView
from ppdet.inference.zones.zone import Zone, membership

# Frames in a row that somebody must be seen on the other side of the edge: boxes tremble, and people stand on edges.
FRAMES_TO_SETTLE = 3


@dataclass
class _Presence:
    """Whether one person is inside one zone, and for how many frames the boxes have said otherwise."""

    inside: bool
    doubts: int = 0


class ZoneCounter:
    """Follows the people of a video in and out of zones.

    Somebody who is first seen inside has not entered, and somebody who is lost from sight inside has not left: both only count as
    `seen`, and as `inside` while they are in sight or may come back.

    Args:
        zones: polygons.

    Attributes:
        zones: as given.
        visitors: for each zone, the identities that were inside so far.
    """

    def __init__(self, zones: Sequence[Zone]) -> None:
        self.zones = tuple(zones)
        self.visitors: list[set[int]] = [set() for _ in self.zones]
        self._presence: list[dict[int, _Presence]] = [{} for _ in self.zones]
        self._entered, self._left = [0] * len(self.zones), [0] * len(self.zones)

    def update(self, identities: np.ndarray, boxes_xyxy: np.ndarray, image_wh: tuple[int, int]) -> ZoneView:
        """Look at the people of the next frame, those outside all zones included.

        Args:
            identities: (N,).
            boxes_xyxy: (N, 4).
            image_wh: size of the frame.
        """
        inside = membership(self.zones, boxes_xyxy, image_wh)
        events: list[ZoneEvent] = []
        for place in range(len(self.zones)):
            for identity, is_inside in zip(identities.tolist(), inside[:, place].tolist()):
                events += self._step(place, identity, is_inside)
        return ZoneView(self.zones, inside, self.counts(), tuple(events))

    def keep_only(self, identities: Iterable[int]) -> None:
        """Forget where all other people were: they will not come back."""
        remembered = set(identities)
        for presence in self._presence:
            for identity in presence.keys() - remembered:
                del presence[identity]

    def counts(self) -> tuple[ZoneCount, ...]:
        """The counts of each zone so far."""
        return tuple(
            ZoneCount(entered, left, sum(each.inside for each in presence.values()), len(visitors))
            for entered, left, presence, visitors in zip(self._entered, self._left, self._presence, self.visitors)
        )

    def _step(self, place: int, identity: int, is_inside: bool) -> list[ZoneEvent]:
        presence = self._presence[place].setdefault(identity, _Presence(is_inside))
        if is_inside:
            self.visitors[place].add(identity)
        presence.doubts = 0 if presence.inside == is_inside else presence.doubts + 1
        if presence.doubts < FRAMES_TO_SETTLE:
            return []
        presence.inside, presence.doubts = is_inside, 0
        counts = self._entered if is_inside else self._left
        counts[place] += 1
        return [ZoneEvent(self.zones[place].name, identity, ENTER if is_inside else LEAVE)]
