"""Summary of a processed video."""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ppdet.inference.zones.view import ZoneCount


@dataclass
class VideoReport:
    """Summary of a processed video.

    Attributes:
        frames: frames written, those that did not decode included.
        people: poses in all frames together (person-frames).
        persons: different people, by their identities; those seen in too few frames (`min_hits`) do not count.
        seconds: wall-clock time.
        written: the files that were written.
        unreadable: numbers of the frames that did not decode.
        missing: frames at the end that the container promises and that are not there.
        zones: counts by name, if there are zones.
        jitter_before, jitter_after: of the smoothing: mean acceleration of the keypoints in box sizes per second squared, or
            None.
    """

    frames: int = 0
    people: int = 0
    persons: int = 0
    seconds: float = 0.0
    written: list[Path] = field(default_factory=list)
    unreadable: list[int] = field(default_factory=list)
    missing: int = 0
    zones: dict[str, ZoneCount] = field(default_factory=dict)
    jitter_before: float | None = None
    jitter_after: float | None = None

    @property
    def fps(self) -> float:
        """Frames per second, everything included."""
        return self.frames / max(self.seconds, 1e-9)

    def jitter_text(self) -> str:
        """The effect of smoothing, as text; empty if nothing was smoothed."""
        if self.jitter_before is None or self.jitter_after is None:
            return ""
        return f"jitter {self.jitter_before:.1f} before and {self.jitter_after:.1f} after smoothing (box sizes/s²)"

    def zone_text(self) -> str:
        """The counts of the zones, as text; empty without zones."""
        return "; ".join(
            f"zone {name}: {count.seen} persons, {count.entered} entries, {count.left} exits, {count.inside} inside at the end"
            for name, count in self.zones.items()
        )

    def exit_status(self) -> int:
        """What a command should return: 1 if frames were missing or did not decode, else 0."""
        return 1 if self.missing or self.unreadable else 0
