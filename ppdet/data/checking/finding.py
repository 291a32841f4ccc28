"""A defect of an annotation file: what, how often, where, why it matters, what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Dict, List, Sequence

ERROR, WARNING, NOTE = SEVERITIES = ("error", "warning", "note")
"""Breaks training or makes scores wrong; probably a mistake; worth knowing, but not a mistake in itself."""
EXAMPLES = 5


@dataclass(frozen=True)
class Finding:
    """One kind of defect in one file.

    Attributes:
        kind: stable short name, for example "point-outside-image".
        severity: one of `SEVERITIES`.
        what: the defect in words, without the count.
        count, total: how many of how many (points, objects or images, see `of`).
        of: what is counted.
        examples: places, at most five.
        why: what it does to training or scores.
        advice: what to do.
        fix: what `--fix` does about it; "" if it does nothing.
        file: annotation file.
        keys: positions in the file that the fix needs; not part of the report.
    """

    kind: str
    severity: str
    what: str
    count: int
    total: int
    of: str
    examples: Sequence[str]
    why: str
    advice: str
    fix: str = ""
    file: str = ""
    keys: Any = field(default=None, compare=False, repr=False)

    @property
    def rank(self) -> tuple[int, float, str]:
        """Sorts the most serious findings first."""
        return SEVERITIES.index(self.severity), -self.count / max(self.total, 1), self.kind

    def to_dict(self) -> Dict[str, Any]:
        """Plain values for JSON."""
        content = asdict(self)
        del content["keys"]
        return {**content, "examples": list(self.examples)}

    def lines(self) -> List[str]:
        """The finding as text."""
        places = f" ({', '.join(self.examples)}{', ...' if self.count > len(self.examples) else ''})" if self.examples else ""
        share = f"{self.count} of {self.total} {self.of}" if self.total else f"{self.count} {self.of}"
        lines = [f"{self.severity}: {self.kind}: {share} {self.what}{places}", f"    why: {self.why}", f"    do: {self.advice}"]
        lines += [f"    --fix: {self.fix}"] if self.fix else []
        return [line.encode("utf-8", "backslashreplace").decode() for line in lines]  # names may hold halves of surrogate pairs


def shown(places: Sequence[Any]) -> List[str]:
    """The first places as short texts."""
    return [str(place)[:80] for place in list(places)[:EXAMPLES]]
