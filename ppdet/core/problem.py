"""A problem in a config, and its location."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Mark(NamedTuple):
    """Location of a value: a file and a line counted from 1, or ``-o a.b=c`` with line 0."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Problem:
    """A finding of the config checks.

    Attributes:
        message: what was given, what was expected and, if one is close, the name that was probably meant.
        mark: its file and line, if known.
        severity: "error" (a mistake), "missing" (PaddleDetection has this component, this toolkit not yet)
            or "warning" (probably harmless).
    """

    message: str
    mark: Mark | None = None
    severity: str = "error"

    def __str__(self) -> str:
        where = f"{self.mark}: " if self.mark else ""
        return f"{where}{self.severity}: {self.message}"


def short_repr(value: object, limit: int = 120) -> str:
    """`repr`, with the middle left out where it is long."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit // 2]}...{text[-limit // 4 :]}"


def nearest(name: str, candidates: Iterable[str], cutoff: float = 0.75) -> str | None:
    """The candidate most similar to `name`, almost ignoring case; None if none is close."""
    pool = [candidate for candidate in candidates if isinstance(candidate, str)]
    lowered = {candidate.lower(): candidate for candidate in pool}
    exact = difflib.get_close_matches(name, pool, n=1, cutoff=cutoff)
    loose = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=cutoff)
    if loose and (not exact or name.lower() in lowered):
        return lowered[loose[0]]
    return exact[0] if exact else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """``"; did you mean 'x'?"``, or an empty string if nothing is close to `name`."""
    found = nearest(name, candidates)
    return f"; did you mean {found!r}?" if found is not None and found != name else ""
