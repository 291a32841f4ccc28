"""Counts annotations that cannot be used, so that they are told once instead of vanishing or crashing an epoch."""

from __future__ import annotations

from typing import Dict, List, Union

NAMED_PER_REASON = 3


class AnnotationReport:
    """Collects (reason, what) pairs of one annotation file.

    `bad` are mistakes in the file; `skipped` are entries that are right but of no use here (crowds, people without
    labelled keypoints); `notes` are remarks on entries that are used.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.bad: Dict[str, List[str]] = {}
        self.skipped: Dict[str, int] = {}
        self.notes: List[str] = []

    def add_bad(self, reason: str, what: Union[str, int]) -> None:
        """Note one unusable entry; `what` names it ("annotation 17")."""
        self.bad.setdefault(reason, []).append(str(what))

    def add_skipped(self, reason: str, count: int = 1) -> None:
        """Note entries left out on purpose."""
        if count:
            self.skipped[reason] = self.skipped.get(reason, 0) + int(count)

    def add_note(self, text: str) -> None:
        """Remark on what is used nevertheless."""
        self.notes.append(f"{self.source}: {text}")

    @property
    def num_bad(self) -> int:
        """Number of unusable entries."""
        return sum(len(names) for names in self.bad.values())

    def bad_line(self) -> str:
        """One line that counts the mistakes and names the first few of each kind; empty when there are none."""
        if not self.bad:
            return ""
        return f"{self.source}: {self.num_bad} unusable entries left out: " + "; ".join(
            f"{len(names)} x {reason} ({_first(names)})" for reason, names in self.bad.items()
        )

    def skipped_line(self) -> str:
        """One line on what was left out on purpose."""
        return ", ".join(f"{count} {reason}" for reason, count in self.skipped.items())


def _first(names: List[str]) -> str:
    shown = ", ".join(names[:NAMED_PER_REASON])
    return shown + (", ..." if len(names) > NAMED_PER_REASON else "")
