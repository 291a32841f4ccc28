"""Paths of shipped configs by name."""

from __future__ import annotations

from typing import Iterable, Tuple

from ppdet.core.shipped import configs_folder


def config_paths(names: Iterable[str]) -> Tuple[str, ...]:
    """Paths ``configs/...`` for -c, in a clone and in an installed package; names without a config are left out."""
    folder = configs_folder()
    there = {path.stem: path.relative_to(folder.parent).as_posix() for path in sorted(folder.rglob("*.yml"))}
    return tuple(there[name] for name in names if name in there)
