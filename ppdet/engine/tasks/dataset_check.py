"""Finds datasets in a config that do not fit its kind of model."""

from __future__ import annotations

from collections.abc import Mapping

from ppdet.core.config.load import Config
from ppdet.core.config.nodes import Spec
from ppdet.core.problem import Problem

ROLES = ("TrainDataset", "EvalDataset")


def datasets_of_another_kind(config: Config, prefix: str, advice: str) -> list[Problem]:
    """Problems for datasets whose class begins with a prefix.

    Args:
        config: a loaded config.
        prefix: of dataset classes for another kind of model.
        advice: what the config's network does, and which dataset it needs.
    """
    problems = []
    for role in ROLES:
        section = config.get(role)
        name = section.tag if isinstance(section, Spec) else section.get("name") if isinstance(section, Mapping) else None
        if str(name).startswith(prefix):
            text = f"{role} is a {name}, but {config.get('architecture')} {advice}"
            problems.append(Problem(text, getattr(section, "mark", None)))
    return problems
