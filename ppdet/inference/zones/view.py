"""What one frame shows of the zones.

Legend: N people, Z zones.
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ppdet.inference.zones.zone import Zone

ENTER, LEAVE = "enter", "leave"


@dataclass(frozen=True)
class ZoneCount:
    """Counts of one zone up to a frame of a video.

    Attributes:
        entered: how often somebody came in from outside.
        left: how often somebody went out.
        inside: how many are inside now.
        seen: how many different people have been inside.
    """

    entered: int = 0
    left: int = 0
    inside: int = 0
    seen: int = 0


@dataclass(frozen=True)
class ZoneEvent:
    """Somebody came into a zone or left it.

    Attributes:
        zone: its name.
        id: identity of the person.
        event: "enter" or "leave".
    """

    zone: str
    id: int  # noqa: A003
    event: str


@dataclass(frozen=True)
class ZoneView:
    """Zones of one image or frame.

    Attributes:
        zones: what they are.
        inside: (N, Z) bool: who is in which.
        counts: of each zone up to this frame of a video; empty for images.
        events: of this frame of a video.
    """

    zones: tuple[Zone, ...]
    inside: np.ndarray
    counts: tuple[ZoneCount, ...] = ()
    events: tuple[ZoneEvent, ...] = ()

    def of(self, rows: np.ndarray) -> ZoneView:
        """The view with some of the people only."""
        return replace(self, inside=self.inside[rows])

    def names_of(self, person: int) -> tuple[str, ...]:
        """Names of the zones that a person is in."""
        return tuple(zone.name for zone, inside in zip(self.zones, self.inside[person]) if inside)

    def labels(self) -> Sequence[str]:
        """A line for each zone, for drawings."""
        if not self.counts:
            return [f"{zone.name}: {int(count)}" for zone, count in zip(self.zones, self.inside.sum(axis=0))]
        return [f"{zone.name}: {count.inside}  in {count.entered}  out {count.left}" for zone, count in
                zip(self.zones, self.counts)]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Plain content: the counts by zone, and the events of this frame if there are any."""
        if not self.counts:
            return {"zones": {zone.name: {"inside": int(count)} for zone, count in zip(self.zones, self.inside.sum(axis=0))}}
        content: dict[str, Any] = {"zones": {zone.name: vars(count) for zone, count in zip(self.zones, self.counts)}}
        if self.events:
            content["zone_events"] = [vars(event) for event in self.events]
        return content
