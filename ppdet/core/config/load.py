"""`load_config`: a YAML file, its ``_BASE_`` files and ``-o`` options become one `Config`.

Loading is pure. It reads files and returns a new object; there is no global state, nothing is built, and two configs in
one process know nothing of each other.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ppdet.core.config.known_keys import KNOWN_KEYS
from ppdet.core.config.merge import merge_keys
from ppdet.core.config.nodes import Anchor, ConfigDict, Spec, mentions, places_of
from ppdet.core.config.overrides import apply_overrides
from ppdet.core.config.yaml_loader import load_yaml
from ppdet.core.errors import ConfigError
from ppdet.core.problem import Mark, Problem, nearest, short_repr

BASE_KEY = "_BASE_"
MAX_BASE_DEPTH = 50


class Config(ConfigDict):
    """The top level of a loaded config, a dict.

    Attributes:
        path: the file it was loaded from.
        name: the stem of that file; logs and exported folders are called after it.
        files: every file that took part, bases first.
        warnings: findings of loading that are probably harmless, such as a scalar given twice.
    """

    path: Path
    files: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        return self.path.stem

    def copy(self) -> Config:
        """A shallow copy with all marks."""
        twin = super().copy()
        assert isinstance(twin, Config)
        twin.path, twin.files, twin.warnings = self.path, self.files, self.warnings
        return twin


@dataclass
class _Reading:
    """What is collected while files are read.

    Attributes:
        files: paths in the order of merging.
        merged: each file with its bases merged, by its resolved path. A base that several files name is read once.
        warnings: findings that are probably harmless.
        replaced: anchors whose home at the top level of one file a later file replaced: key, anchor, where it was replaced.
    """

    files: list[str] = field(default_factory=list)
    merged: dict[Path, ConfigDict] = field(default_factory=dict)
    warnings: list[Problem] = field(default_factory=list)
    replaced: list[tuple[str, Anchor, Mark]] = field(default_factory=list)


def load_config(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> Config:
    """Load a config with its bases and apply options to it.

    Args:
        path: a YAML file in PaddleDetection's dialect (see docs/config.md).
        overrides: options such as ``"TrainReader.batch_size=32"``, later ones win.

    Raises:
        ConfigError: files that are missing or are not YAML, ``_BASE_`` cycles, options that are malformed, lead nowhere
            or look like a typo. Names and arguments of components are checked by
            `ppdet.engine.configs.check`, which knows the components.
    """
    reading = _Reading()
    merged = _load_with_bases(Path(path), (), reading)
    config = Config(mark=merged.mark)
    for key, value in merged.items():
        config.put(key, value, merged)
    reading.warnings += _stale_aliases(config, reading.replaced)
    config.path, config.files, config.warnings = Path(path), tuple(reading.files), tuple(reading.warnings)
    changed = apply_overrides(config, overrides)
    _check_new_top_keys(config, changed)
    assert isinstance(changed, Config)
    return changed


def _load_with_bases(path: Path, including: tuple[Path, ...], reading: _Reading) -> ConfigDict:
    try:
        real = path.resolve()
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: a ring of symbolic links, before Python 3.13
        raise ConfigError(f"cannot read the config {short_repr(str(path))}: {error}") from None
    if real in including:
        ring = " -> ".join(str(each) for each in (*including[including.index(real) :], real))
        raise ConfigError(f"{BASE_KEY} goes round in a circle: {ring}")
    if len(including) >= MAX_BASE_DEPTH:
        raise ConfigError(f"{including[0]}: more than {MAX_BASE_DEPTH} files follow one another by {BASE_KEY}, last {real}")
    if real in reading.merged:
        return reading.merged[real]
    own = load_yaml(path, reading.warnings)
    own = ConfigDict(mark=Mark(str(path), 1)) if own is None else own
    if not isinstance(own, ConfigDict) or isinstance(own, Spec):
        raise ConfigError([Problem("a config is a mapping of keys to values", Mark(str(path), 1))])
    result = ConfigDict(mark=own.mark)
    for base in _base_paths(own, path):
        result = _merge_files(result, _load_with_bases(base, (*including, real), reading), reading)
    reading.files.append(str(path))
    own.pop(BASE_KEY, None)
    reading.merged[real] = _merge_files(result, own, reading)
    return reading.merged[real]


def _merge_files(base: ConfigDict, over: ConfigDict, reading: _Reading) -> ConfigDict:
    for key in over:
        anchor = base.anchor_at(key) if key in base else None
        if anchor is not None:
            reading.replaced.append((key, anchor, over.mark_of(key) or Mark("", 0)))
    return merge_keys(base, over)


def _stale_aliases(config: Config, replaced: Sequence[tuple[str, Anchor, Mark]]) -> list[Problem]:
    """Warnings for aliases that keep the old value of an anchor which a later file replaced."""
    problems = []
    for key, anchor, mark in replaced:
        places = places_of(config, anchor)
        if places:
            message = (
                f"{key!r} is set here, but {', '.join(places)} still follow &{anchor.name} of {anchor.mark}; "
                "aliases do not reach across files, so set these too"
            )
            problems.append(Problem(message, mark, "warning"))
    return problems


def _base_paths(own: ConfigDict, path: Path) -> list[Path]:
    bases: Any = own.get(BASE_KEY, [])
    bases = [bases] if isinstance(bases, str) else bases
    mark = own.mark_of(BASE_KEY)
    if bases is None:
        return []
    if not isinstance(bases, list) or not all(isinstance(base, str) for base in bases):
        raise ConfigError([Problem(f"{BASE_KEY} is a list of YAML files, not {short_repr(bases)}", mark)])
    paths = [path.parent / os.path.expanduser(base) for base in bases]  # an absolute base replaces the parent
    missing = [each for each in paths if not os.path.exists(each)]  # `Path.exists` raises for some impossible names
    if missing:
        note = "which does not exist (paths are relative to the file that names them)"
        raise ConfigError([Problem(f"{BASE_KEY} names {short_repr(str(each), 300)}, {note}", mark) for each in missing])
    return [Path(os.path.normpath(each)) for each in paths]


def _check_new_top_keys(before: ConfigDict, after: ConfigDict) -> None:
    """An option that adds a top-level key much like a known one is taken for a typo.

    Except when the config mentions it elsewhere: after `loss=KeyPointOHKMMSELoss` a section of that name makes sense.
    """
    problems = []
    for key in after:
        if key in before or key in KNOWN_KEYS or mentions(after, key):
            continue
        close = nearest(str(key), [*before, *KNOWN_KEYS], cutoff=0.8)
        if close is not None:
            message = f"the config has no key {key!r}; did you mean {close!r}?"
            problems.append(Problem(message, after.mark_of(key)))
    if problems:
        raise ConfigError(problems)
