"""Builds the parts of a config that need neither data nor a network, to find what their constructors refuse.

Without it, a negative learning rate or an augmentation with an impossible range would be found only by a training.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ppdet.codecs import codec_from_config
from ppdet.core.config.builder import Builder
from ppdet.core.config.known_keys import READER_KEYS
from ppdet.core.config.load import Config
from ppdet.core.config.nodes import ConfigDict
from ppdet.core.config.registry import Registry
from ppdet.core.errors import ConfigError, PpdetError
from ppdet.core.logger import without_log
from ppdet.core.problem import Mark, Problem
from ppdet.engine.annotated_skeleton import named_by_annotations
from ppdet.skeletons.lookup import skeleton_from_config

SECTIONS = ("LearningRate", "OptimizerBuilder", *sorted(READER_KEYS))


def try_parts(config: Config, registry: Registry) -> list[Problem]:
    """Problems found by the constructors of the learning rate, the optimizer, and the readers with their transforms.

    Args:
        config: one without errors so far, and without components that this toolkit lacks.
        registry: the known components.
    """
    problems: list[Problem] = []
    with without_log():
        shared: dict[str, Any] = {}
        try:
            codec = codec_from_config(config, Builder(config, registry=registry))
            if codec is not None:
                skeleton = named_by_annotations(skeleton_from_config(config), config)
                shared = {"codec": codec, "skeleton": skeleton, "num_joints": skeleton.num_keypoints}
        except PpdetError as error:
            return _found(error, config)
        builder = Builder(config, shared, registry)
        for name in SECTIONS:
            if config.get(name) is None or name not in registry:
                continue
            try:
                builder.build(name)
            except PpdetError as error:
                problems += _found(error, config[name])
    return problems


def _found(error: PpdetError, section: Any) -> list[Problem]:
    problems = error.problems if isinstance(error, ConfigError) else [Problem(str(error))]
    return [Problem(found.message, found.mark or _place(section, found.message)) for found in problems]


def _place(section: Any, message: str) -> Mark | None:
    """The line of the last key that a message names: one of an option, otherwise of a file; else the line of the section."""
    words = set(re.findall(r"\w+", message))
    named = [mark for key, mark in _marks(section) if key in words]
    by_option = [mark for mark in named if mark.file.startswith("-o")]
    found = by_option or named
    return found[-1] if found else getattr(section, "mark", None)


def _marks(node: Any) -> Iterator[tuple[str, Mark]]:
    """All keys below a node, with their lines."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            mark = node.mark_of(key) if isinstance(node, ConfigDict) else None
            if mark is not None:
                yield str(key), mark
            yield from _marks(value)
    elif isinstance(node, list):
        for value in node:
            yield from _marks(value)
