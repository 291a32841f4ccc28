"""A setting and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True)
class Choice(Generic[Value]):
    """What was chosen, and why in a sentence that becomes a comment of the config."""

    value: Value
    why: str
