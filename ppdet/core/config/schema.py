"""The schema of a component's YAML section, derived from its constructor."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Optional

from ppdet.core.config.nodes import ConfigDict, Spec
from ppdet.core.config.value_check import complaint, plain_annotations
from ppdet.core.errors import ConfigError
from ppdet.core.problem import Mark, Problem, did_you_mean

REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True)
class Schema:
    """The keys that YAML may set for a class.

    Attributes:
        name: the class name.
        defaults: argument name to default, `REQUIRED` if there is none, in the constructor's order.
        is_open: the constructor takes ``**kwargs``, so further keys are allowed.
        shared: arguments that fall back to the builder's shared objects and the config's top level.
        inject: arguments that are components themselves.
        types: argument name to the plain types it may have; arguments with richer annotations are left out.
        renamed: older names of arguments that YAML may still use, to the names they have now.
        repeats: arguments that say under another name what a top-level key says, to that key; the two must agree.
    """

    name: str
    defaults: Mapping[str, Any]
    is_open: bool
    shared: tuple[str, ...]
    inject: tuple[str, ...]
    types: Mapping[str, tuple[type, ...]]
    renamed: Mapping[str, str]
    repeats: Mapping[str, str]

    def with_new_names(self, section: ConfigDict, files: Sequence[str] = ()) -> ConfigDict:
        """The section with older names of arguments replaced.

        Where old and new name are both given, the one written later counts: in an option, or in a later file.

        Args:
            section: keys and values as written.
            files: the files of the config, bases first.

        Raises:
            ConfigError: both names in one file, with different values.
        """
        if not any(old in section for old in self.renamed):
            return section
        result = section.copy()
        for old, new in self.renamed.items():
            if old not in section:
                continue
            result.pop(old)
            order = [_order_of(section.mark_of(key), files) for key in (old, new)]
            if new not in section or order[0] > order[1]:
                result.put(new, section[old], section, old)
            elif order[0] == order[1] and section[old] != section[new]:
                message = f"{self.name}.{old} is the older name of {new}, and the two differ; leave {old} out"
                raise ConfigError([Problem(message, section.mark_of(old))])
        return result


def _order_of(mark: Optional[Mark], files: Sequence[str]) -> int:
    if mark is None:
        return -1
    return len(files) + 1 if mark.line == 0 else files.index(mark.file) if mark.file in files else len(files)


@cache
def schema_of(cls: type) -> Schema:
    """Read the schema from the signature of ``__init__`` and from ``__shared__``, ``__inject__``, ``__renamed__`` and
    ``__repeats__``."""
    defaults: dict[str, Any] = {}
    is_open = False
    constructor = getattr(cls, "__init__")  # noqa: B009 (mypy distrusts cls.__init__)
    parameters = [] if constructor is object.__init__ else list(inspect.signature(constructor).parameters.values())
    for parameter in parameters[1:]:  # the first is self
        if parameter.kind is parameter.VAR_KEYWORD:
            is_open = True
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            defaults[parameter.name] = parameter.default
    shared, inject = tuple(getattr(cls, "__shared__", ())), tuple(getattr(cls, "__inject__", ()))
    for name in (*shared, *inject):
        assert name in defaults or is_open, f"{cls.__name__} shares or injects {name!r}, which is not an argument of it"
    types = {} if constructor is object.__init__ else plain_annotations(constructor)
    renamed, repeats = dict(getattr(cls, "__renamed__", {})), dict(getattr(cls, "__repeats__", {}))
    return Schema(cls.__name__, defaults, is_open, shared, inject, types, renamed, repeats)


def check_arguments(schema: Schema, section: Mapping[str, Any], ignored: Sequence[str] = ()) -> list[Problem]:
    """Problems of a section: keys that the class does not take, with the nearest name, values of a wrong type, and probabilities
    outside 0 to 1."""
    problems = []
    for key, value in section.items():
        mark = section.mark_of(key) if isinstance(section, ConfigDict) else None
        key = schema.renamed.get(key, key) if isinstance(key, str) else key
        if key in schema.types and key not in schema.inject:
            wrong = None if isinstance(value, Spec) else complaint(value, schema.types[key])
            if wrong is not None and value is not schema.defaults.get(key, REQUIRED):
                problems.append(Problem(f"{schema.name}.{key} {wrong}", mark))
            elif "prob" in key.split("_") and isinstance(value, (int, float)) and not 0 <= value <= 1:
                problems.append(Problem(f"{schema.name}.{key} is {value}; expected a probability from 0 to 1", mark))
        if key in schema.defaults or key in ignored or schema.is_open:
            continue
        hint = did_you_mean(str(key), schema.defaults)
        if not hint:
            names = ", ".join(schema.defaults)
            hint = f"; it takes {names}" if names else "; it takes none"
        problems.append(Problem(f"{schema.name} has no argument {key!r}{hint}", mark))
    return problems
