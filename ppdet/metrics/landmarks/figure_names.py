"""The figures by their plain names: what each means, its unit, and which direction is better."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, List, Optional, Sequence

from ppdet.core.errors import ConfigError
from ppdet.core.problem import did_you_mean, short_repr
from ppdet.metrics.coco_evaluation import KEYPOINT_STATS

SDR_MILLIMETRES = (2.0, 2.5, 3.0, 4.0)
"""Radii of the ISBI 2014 and 2015 cephalometric challenges."""

FAMILIES = {
    "PCK": (0.2, ""),
    "PCKh": (0.5, ""),
    "AUC": (30.0, "px"),
    "EPE": (None, ""),
    "NME": (None, ""),
    "MRE": (None, ""),
    "SD": (None, ""),
    "SDR": (2.0, "mm"),
}
"""Family -> default threshold and the unit that the threshold is written with."""

DEFAULT_NAMES = ("EPE", "PCK", "AUC", "NME")
_ERRORS = {"EPE": "px", "NME": "", "MRE": "mm", "SD": "mm"}
_PATTERN = re.compile(r"([A-Za-z]+)(?:@([0-9.]+) ?(px|mm)?)?")


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        name: canonical name, for example "PCK@0.1", "SDR@2.5mm", or "PCK" at the default threshold.
        family: key of `FAMILIES`, or "AP" for a figure of COCO's protocol.
        threshold: multiple of the reference length, pixels or millimetres; None for families without one.
    """

    name: str
    family: str
    threshold: Optional[float] = None

    @property
    def is_ap(self) -> bool:
        """Whether it belongs to COCO's protocol."""
        return self.family == "AP"

    @property
    def lower_is_better(self) -> bool:
        """Whether it is an error."""
        return self.family in _ERRORS

    @property
    def unit(self) -> str:
        """"px", "mm", or "" for shares and ratios."""
        return _ERRORS.get(self.family, "")

    @property
    def needs_spacing(self) -> bool:
        """Whether it is in millimetres."""
        return self.family in ("MRE", "SD", "SDR")


def parse_figures(names: Any) -> List[Figure]:
    """Figures of names as users write them, in any case; "SDR" means its four radii.

    Args:
        names: one name or a list: AP, AR (and AP50, AP75, ...), PCK, PCK@0.1, PCKh, AUC, EPE, NME, MRE, SD, SDR, SDR@2.5mm.

    Raises:
        ConfigError: an unknown name.
    """
    given = [names] if isinstance(names, str) else names
    if not isinstance(given, Sequence) or not given:
        raise ConfigError(f"metrics are a name or a list of names such as [EPE, PCK, AP]; given {short_repr(names)}")
    figures = [figure for name in given for figure in _parse(name)]
    return list(dict.fromkeys(figures))


def is_figure_name(name: Any) -> bool:
    """Whether a word is the name of a figure."""
    try:
        return bool(parse_figures(name))
    except ConfigError:
        return False


def lower_is_better(name: str) -> bool:
    """Whether a figure of any metric is an error; False for unknown names."""
    return is_figure_name(name) and parse_figures(name)[0].lower_is_better


def unit_of(name: str) -> str:
    """"px", "mm", or "" for shares, ratios and unknown names."""
    return parse_figures(name)[0].unit if is_figure_name(name) else ""


def _parse(name: Any) -> List[Figure]:
    stats = {stat.lower(): stat for stat in KEYPOINT_STATS}
    text = str(name).strip()
    if text.lower() in stats:
        return [Figure(stats[text.lower()], "AP")]
    match = _PATTERN.fullmatch(text)
    family = None if match is None else next((each for each in FAMILIES if each.lower() == match[1].lower()), None)
    if match is None or family is None:
        known = [*FAMILIES, *KEYPOINT_STATS]
        raise ConfigError(
            f"there is no metric {text!r}{did_you_mean(text, known) or '.'} Names are {', '.join(FAMILIES)}, AP, AP50, AP75, AR; "
            "thresholds are written as PCK@0.1, PCKh@0.5, AUC@30px, SDR@2.5mm"
        )
    default, unit = FAMILIES[family]
    if match[2] is None:
        if family == "SDR":
            return [_with_threshold(family, radius, unit) for radius in SDR_MILLIMETRES]
        return [Figure(family, family, default)]
    if default is None or match[3] not in (None, unit):
        raise ConfigError(f"the metric {text!r} has a threshold that {family} does not take; write {family}"
                          + (f"@{default:g}{unit}" if default is not None else ""))  # fmt: skip
    return [_with_threshold(family, _positive(match[2], text), unit)]


def _with_threshold(family: str, threshold: float, unit: str) -> Figure:
    return Figure(f"{family}@{threshold:g}{unit}", family, threshold)


def _positive(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if value <= 0:
        raise ConfigError(f"the metric {name!r} needs a threshold above 0")
    return value
