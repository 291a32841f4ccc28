"""The constructor of a component, read as the schema of its YAML section."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ppdet.core.config.nodes import ConfigDict, Spec
from ppdet.core.config.value_check import complaint, plain_annotations
from ppdet.core.problem import Problem, did_you_mean

REQUIRED = inspect.Parameter.empty


@dataclass(frozen=True)
class Schema:
    """What YAML may say about a class.

    Attributes:
        name: the class name.
        defaults: argument name to default, `REQUIRED` where there is none, in the order of the constructor.
        is_open: the constructor takes ``**kwargs``, so any further key is fine.
        shared: arguments that fall back to the builder's shared objects and the config's top level.
        inject: arguments that are components themselves.
        types: argument name to the plain types it may have; arguments with richer annotations are left out.
    """

    name: str
    defaults: Mapping[str, Any]
    is_open: bool
    shared: tuple[str, ...]
    inject: tuple[str, ...]
    types: Mapping[str, tuple[type, ...]]


@cache
def schema_of(cls: type) -> Schema:
    """Read the schema from the signature of ``__init__`` and from ``__shared__`` and ``__inject__``."""
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
    return Schema(cls.__name__, defaults, is_open, shared, inject, types)


def check_arguments(schema: Schema, section: Mapping[str, Any], ignored: Sequence[str] = ()) -> list[Problem]:
    """Keys of a section that the class does not take, each with the nearest right name, and values of a wrong type."""
    problems = []
    for key, value in section.items():
        mark = section.mark_of(key) if isinstance(section, ConfigDict) else None
        if key in schema.types and key not in schema.inject:
            wrong = None if isinstance(value, Spec) else complaint(value, schema.types[key])
            if wrong is not None and value is not schema.defaults.get(key, REQUIRED):
                problems.append(Problem(f"{schema.name}.{key} {wrong}", mark))
        if key in schema.defaults or key in ignored or schema.is_open:
            continue
        hint = did_you_mean(str(key), schema.defaults)
        if not hint:
            names = ", ".join(schema.defaults)
            hint = f"; it takes {names}" if names else "; it takes none"
        problems.append(Problem(f"{schema.name} has no argument {key!r}{hint}", mark))
    return problems
