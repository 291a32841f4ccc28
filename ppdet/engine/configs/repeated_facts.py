"""Finds arguments of components that repeat a fact of the whole config, and differ from it.

PaddleDetection's YAML states the number of keypoints, the mirror pairs and the number of classes at the top level and again in
many sections. Only the skeleton and the top level decide here, so a section that differs would be ignored, or would build a
network that does not fit its data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ppdet.core.config.nodes import ConfigDict
from ppdet.core.config.schema import Schema
from ppdet.core.errors import PpdetError
from ppdet.core.problem import Problem
from ppdet.skeletons import Skeleton
from ppdet.skeletons.lookup import flip_pairs_of, skeleton_from_config

FLIP_PAIRS = ("flip_perm", "flip_pairs", "flip_permutation")  # three spellings in PaddleDetection's YAML


def repeated_facts(config: ConfigDict, components: Iterable[tuple[Schema, Mapping[str, Any]]]) -> Iterator[Problem]:
    """Problems for arguments that contradict the config's number of keypoints, mirror pairs or number of classes.

    Args:
        config: the top level.
        components: the schema of each component of the config, and the arguments that its section states.
    """
    try:
        skeleton = skeleton_from_config(config)
    except PpdetError:
        return  # reported by the check of the skeleton
    for schema, section in components:
        for key, value in section.items():
            if key not in schema.defaults or value is None:
                continue
            place, fact = f"{schema.name}.{key}", schema.repeats.get(key, key)
            wrong, severity = "", "error"
            if fact in ("num_joints", "num_classes"):
                wrong = _wrong_count(place, fact, value, config, skeleton)
            elif fact in FLIP_PAIRS:
                wrong, severity = _wrong_pairs(place, value, config, skeleton)
            if wrong:
                mark = section.mark_of(key) if isinstance(section, ConfigDict) else None
                yield Problem(wrong, mark, severity)


def _wrong_count(place: str, fact: str, value: Any, config: ConfigDict, skeleton: Skeleton) -> str:
    stated = skeleton.num_keypoints if fact == "num_joints" else config.get(fact)
    if not isinstance(value, int) or stated in (None, value):
        return ""
    source = f"{_source(config, skeleton)} has {stated} keypoints"
    if fact == "num_classes":
        source = f"num_classes at the top level is {stated}"
    return f"{place} is {value}, but {source}; {_advice(fact)}"


def _wrong_pairs(place: str, value: Any, config: ConfigDict, skeleton: Skeleton) -> tuple[str, str]:
    """What is wrong with mirror pairs, "" if nothing, and its severity."""
    try:
        pairs = sorted(flip_pairs_of(value, place))
    except PpdetError as error:
        return str(error), "error"
    known = bool(skeleton.flip_pairs) or any(config.get(key) is not None for key in ("skeleton", "flip_perm"))
    if not known and pairs:
        return f"{place} is given, but neither flip_perm nor skeleton at the top level, which all commands read", "warning"
    if pairs == sorted(skeleton.flip_pairs):
        return "", ""
    source = f"the mirror pairs of {_source(config, skeleton)} are {_text(skeleton.flip_pairs)}"
    return f"{place} has the pairs {_text(pairs)}, but {source}; {_advice('flip_perm')}", "error"


def _source(config: ConfigDict, skeleton: Skeleton) -> str:
    return "the config" if config.get("skeleton") is None else f"skeleton {skeleton.name!r}"


def _advice(fact: str) -> str:
    return f"make them agree, or leave it out: {fact} is taken from the top level"


def _text(pairs: Iterable[tuple[int, int]]) -> str:
    return str([list(pair) for pair in pairs])
