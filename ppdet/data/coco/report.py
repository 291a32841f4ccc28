"""Counts annotations that cannot be used: reported once, neither dropped silently nor raised in the middle of an epoch."""

from __future__ import annotations

from typing import Dict, List, Union

NAMED_PER_REASON = 3


class AnnotationReport:
    """Collects (reason, what) pairs of one annotation file.

    `bad` are mistakes in the file; `skipped` are entries that are valid but of no use here (crowds, people without
    labelled keypoints); `notes` are remarks on entries that are used.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.bad: Dict[str, List[str]] = {}
        self.skipped: Dict[str, int] = {}
        self.notes: List[str] = []
        self._parts: List[AnnotationReport] = []

    def part(self, source: str) -> AnnotationReport:
        """A report on a further file; its lines are logged with this one's."""
        self._parts.append(AnnotationReport(source))
        return self._parts[-1]

    def warnings(self) -> List[str]:
        """Lines that a user should see: mistakes and notes of this file and its parts."""
        own = [line for line in (self.bad_line(), *self.notes) if line]
        return own + [line for part in self._parts for line in part.warnings()]

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
        """Number of unusable entries, those of the parts included."""
        return sum(len(names) for names in self.bad.values()) + sum(part.num_bad for part in self._parts)

    def bad_line(self) -> str:
        """One line that counts the mistakes and names the first few of each kind; empty when there are none."""
        if not self.bad:
            return ""
        own = sum(len(names) for names in self.bad.values())
        return f"{self.source}: {own} unusable entries left out: " + "; ".join(
            f"{len(names)} x {reason} ({_first(names)})" for reason, names in self.bad.items()
        )

    def skipped_line(self) -> str:
        """One line on what was left out on purpose, also in the parts."""
        reports = [self, *self._parts]
        return ", ".join(f"{count} {reason}" for report in reports for reason, count in report.skipped.items())


def _first(names: List[str]) -> str:
    shown = ", ".join(names[:NAMED_PER_REASON])
    return shown + (", ..." if len(names) > NAMED_PER_REASON else "")
