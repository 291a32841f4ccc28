"""PaddleDetection's flags and their effect here."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any, Sequence

from ppdet.commands.flags.values import truth_value
from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger

SAME, NO_EFFECT, REFUSED = "same", "no effect", "refused"


@dataclass(frozen=True)
class PaddleDetFlag:
    """One flag of one of PaddleDetection's commands.

    Attributes:
        name: with its dashes.
        default: in PaddleDetection.
        effect: "same" if it does the same as in PaddleDetection; "no effect" if it is accepted, with a log line that states why
            it does nothing; "refused" if it is an error. The default value is always accepted silently.
        text: what it does, why it has no effect, or why it is refused and what to use instead.
    """

    name: str
    default: Any
    effect: str
    text: str


class _ForeignFlag(argparse.Action):
    """A flag that this toolkit does not support: warns or raises an error, unless the value is PaddleDetection's default."""

    flag: PaddleDetFlag

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        flag = self.flag
        if values == flag.default or (values is None and flag.default is None) or values == str(flag.default):
            return
        if flag.effect == REFUSED:
            raise ConfigError(f"{flag.name} {_shown(values)}: {flag.text}")
        get_logger("ppdet.commands").warning("%s has no effect: %s", flag.name, flag.text)


def add_paddledet_flags(parser: argparse.ArgumentParser, flags: Sequence[PaddleDetFlag]) -> None:
    """Add flags that have no effect or are refused to a parser; the command itself adds those with an effect.

    They do not appear in `--help`: docs/from_paddledetection.md lists them.
    """
    for flag in flags:
        if flag.effect == SAME:
            continue
        action = type("ForeignFlag", (_ForeignFlag,), {"flag": flag})
        parser.add_argument(flag.name, action=action, help=argparse.SUPPRESS, dest=argparse.SUPPRESS, **_values(flag.default))


def _values(default: Any) -> dict[str, Any]:
    """Number and type of a flag's values, derived from its default."""
    if isinstance(default, bool):  # a switch in PaddleDetection, with or without a value
        return {"nargs": "?", "const": True, "type": truth_value}
    if isinstance(default, list):
        return {"nargs": "+", "type": type(default[0])}
    return {"type": str if default is None else type(default)}


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
