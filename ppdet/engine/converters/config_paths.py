"""Which configurations of this checkout are meant by their names."""

from __future__ import annotations

from pathlib import Path
from typing import Iterable, Tuple

ROOT = Path(__file__).resolve().parents[3]


def config_paths(names: Iterable[str]) -> Tuple[str, ...]:
    """Paths below the repository's root, for -c; names that are not there are left out.

    An installed package has no configurations beside it and gets the names as they are.
    """
    if not (ROOT / "configs").is_dir():
        return tuple(names)
    there = {path.stem: path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "configs").rglob("*.yml"))}
    return tuple(there[name] for name in names if name in there)
