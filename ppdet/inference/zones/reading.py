"""Zones from flags and YAML files."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ppdet.core.config.yaml_loader import load_plain_yaml
from ppdet.core.content_schema import either, list_of, mapping, number, one_of, summary
from ppdet.core.errors import ConfigError
from ppdet.inference.zones.zone import ANCHORS, FEET, Zone

YAML_SUFFIXES = (".yml", ".yaml")
_POINTS = list_of(list_of(number(), length=2), least=3, most=1000)
_RULE = mapping(
    {"zones": mapping({}, others=either(_POINTS, mapping({"points": _POINTS, "anchor": one_of(*ANCHORS)}, required=("points",),
                                                         only_known=True)))},
    required=("zones",),
)  # fmt: skip


def zones_of_flags(values: Sequence[str]) -> list[Zone]:
    """Zones of `--zone`, each `NAME:x,y,x,y,x,y` or the name of a YAML file.

    Raises:
        ConfigError: a value that is neither, a bad polygon, or a name given twice.
    """
    zones: list[Zone] = []
    for value in values:
        zones += load_zones(value) if Path(value).suffix.lower() in YAML_SUFFIXES else [_parsed(value)]
    names = [zone.name for zone in zones]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"zone {', '.join(twice)} is given more than once: give each zone a name of its own")
    return zones


def load_zones(path: str | Path) -> list[Zone]:
    """Zones of a YAML file::

        zones:
          door: [[100, 300], [400, 300], [400, 700], [100, 700]]
          stage: {points: [[0.1, 0.5], [0.9, 0.5], [0.9, 1], [0.1, 1]], anchor: center}

    Raises:
        ConfigError: the file cannot be read or holds something else.
    """
    content = load_plain_yaml(path)
    problems = summary(_RULE(content, str(path)))
    if problems:
        raise ConfigError(f"{problems}; zones are written as `zones: {{NAME: [[x, y], [x, y], [x, y]]}}`")
    return [_zone(name, entry) for name, entry in content["zones"].items()]


def _zone(name: str, entry: Any) -> Zone:
    points = entry["points"] if isinstance(entry, Mapping) else entry
    anchor = entry.get("anchor", FEET) if isinstance(entry, Mapping) else FEET
    return Zone(name, tuple((float(x), float(y)) for x, y in points), anchor)


def _parsed(text: str) -> Zone:
    name, colon, numbers = text.rpartition(":")
    try:
        values = [float(each) for each in numbers.split(",")]
    except ValueError:
        values = []
    if not colon or not name or len(values) < 6 or len(values) % 2:
        raise ConfigError(f"--zone {text}: expected NAME:x,y,x,y,x,y with at least three corners, or a .yml file with `zones:`")
    return Zone(name, tuple(zip(values[::2], values[1::2])))
