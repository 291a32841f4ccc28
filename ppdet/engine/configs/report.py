"""Text output of tools/check_config.py."""

from __future__ import annotations

from collections.abc import Sequence

from ppdet.core.config.known_keys import DATASET_KEYS, READER_KEYS
from ppdet.core.config.load import Config, load_config
from ppdet.core.errors import ConfigError
from ppdet.core.problem import Problem
from ppdet.engine.components import import_components
from ppdet.engine.configs.check import check_config


def report_configs(paths: Sequence[str], overrides: Sequence[str] = ()) -> int:
    """Print the problems of each config, and a summary line.

    Returns:
        1 if any config has an error or a missing component, else 0.
    """
    failed = False
    for path in paths:
        try:
            config = load_config(path, overrides)
            problems = check_config(config, import_components(config), part=_is_part(config))
        except ConfigError as error:
            problems = error.problems
        for problem in problems:
            print(problem)
        failed |= any(problem.severity != "warning" for problem in problems)
        print(f"{path}: {_summary(problems)}")
    return int(failed)


def _is_part(config: Config) -> bool:
    """Whether the config is meant to be included by others (a base, a list of datasets, a slim config): it lacks readers or
    datasets."""
    return not (READER_KEYS & set(config) and DATASET_KEYS & set(config))


def _summary(problems: Sequence[Problem]) -> str:
    counts = {kind: sum(p.severity == kind for p in problems) for kind in ("error", "missing", "warning")}
    words = {
        "error": f"{counts['error']} error{'s' * (counts['error'] != 1)}",
        "missing": f"{counts['missing']} missing component{'s' * (counts['missing'] != 1)}",
        "warning": f"{counts['warning']} warning{'s' * (counts['warning'] != 1)}",
    }
    found = [words[kind] for kind, count in counts.items() if count]
    return ", ".join(found) if found else "ok"
