"""Build objects from sections of a config by calling their constructors with checked arguments."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ppdet.core.config.nodes import ConfigDict, ConfigList, Spec, plain
from ppdet.core.config.paddledet_names import PADDLEDETECTION_NAMES, not_here_yet
from ppdet.core.config.registry import Registry
from ppdet.core.config.registry import registry as default_registry
from ppdet.core.config.schema import REQUIRED, Schema, check_arguments, schema_of
from ppdet.core.errors import ConfigError, PpdetError
from ppdet.core.problem import Mark, Problem, did_you_mean, short_repr


class _Plan(NamedTuple):
    """A class to build, its arguments, and their location."""

    cls: type
    section: ConfigDict
    args: Sequence[Any]
    mark: Mark | None


class Builder:
    """Builds the components of one config.

    Args:
        config: the loaded config; sections named after classes and shared values are taken from it.
        shared: objects for arguments listed in ``__shared__``, such as the codec. They take precedence over the config's top
            level; a value in the component's own section takes precedence over them.
        registry: where names are looked up; by default that of the process.
    """

    def __init__(
        self, config: Mapping[str, Any], shared: Mapping[str, Any] | None = None, registry: Registry = default_registry
    ) -> None:
        self.config = config
        self.shared: dict[str, Any] = dict(shared or {})
        self._registry = registry
        self._built: dict[int, tuple[Spec, Any]] = {}

    def build(self, value: Any, **extra: Any) -> Any:
        """Build the component that `value` names.

        Args:
            value: a class name (arguments from the section of that name), a top-level key such as ``"TrainDataset"``, a
                `Spec`, a mapping with ``name``, or a list of operations. None and built objects are returned unchanged. A
                `Spec` is built once: all its aliases give the same object.
            **extra: further arguments of the constructor; they take precedence over the config.

        Raises:
            ConfigError: unknown names, or unknown or missing arguments, each with file and line.
        """
        if isinstance(value, list):
            return self.build_list(value)
        if not isinstance(value, (str, dict)):
            return value
        if isinstance(value, str) and value not in self._registry and _names_a_component(self.config.get(value)):
            value = self.config[value]
        if isinstance(value, Spec) and not extra:
            if id(value) not in self._built:
                self._built[id(value)] = (value, self._construct(self._plan(value), extra))
            return self._built[id(value)][1]
        return self._construct(self._plan(value), extra)

    def build_list(self, items: Sequence[Any]) -> list[Any]:
        """Build a list of operations: ``{OpName: {arguments}}``, ``{name: OpName, ...}``, ``!OpName`` or ``OpName``."""
        return [self._operation(item) for item in items]

    def _operation(self, item: Any) -> Any:
        if not isinstance(item, dict) or isinstance(item, Spec) or "name" in item:
            return self.build(item)
        mark = getattr(item, "mark", None)
        if len(item) != 1:
            raise ConfigError([Problem(f"an operation is one name with its arguments, not {short_repr(dict(item))}", mark)])
        name, arguments = next(iter(item.items()))
        if not isinstance(arguments, (dict, type(None))):
            raise ConfigError([Problem(f"the arguments of {name} are a mapping, not {arguments!r}", mark)])
        return self._construct(_Plan(self._class(name, mark), _as_section(arguments or {}, mark), (), mark), {})

    def _plan(self, value: Any) -> _Plan:
        mark = getattr(value, "mark", None)
        if isinstance(value, str):
            section = self._section(value)
            return _Plan(self._class(value, section.mark), section, (), section.mark)
        if isinstance(value, Spec):
            return _Plan(self._class(value.tag, mark), value, value.args, mark)
        if not isinstance(value.get("name"), str):
            raise ConfigError([Problem(f"a component is a class name or a mapping with 'name', not {value!r}", mark)])
        own = _as_section(value, mark)
        cls = self._class(own.pop("name"), mark)
        section = self._section(cls.__name__)
        for key in own:
            section.put(key, own[key], own)
        return _Plan(cls, section, (), mark)

    def _class(self, name: str, mark: Mark | None) -> type:
        if name in self._registry:
            return self._registry.get(name)
        if name in PADDLEDETECTION_NAMES:
            raise ConfigError([Problem(not_here_yet(name), mark)])
        hint = did_you_mean(name, self._registry.names())
        raise ConfigError([Problem(f"there is no component {name!r}{hint}", mark)])

    def _section(self, name: str) -> ConfigDict:
        """A copy of the top-level section of a class, empty if there is none."""
        section = self.config.get(name)
        mark = self.config.mark_of(name) if isinstance(self.config, ConfigDict) and name in self.config else None
        if section is None:
            return ConfigDict(mark=mark)
        if not isinstance(section, dict):
            raise ConfigError([Problem(f"the section {name} is a mapping of arguments, not {section!r}", mark)])
        return _as_section(section, mark)

    def _construct(self, plan: _Plan, extra: Mapping[str, Any]) -> Any:
        schema = schema_of(plan.cls)
        args = self._arguments(plan, schema, extra)
        if hasattr(plan.cls, "build_parts"):
            args = dict(plan.cls.build_parts(self.build, args))
        args.update({name: self._injected(args[name]) for name in schema.inject if name in args})
        missing = [name for name, default in schema.defaults.items() if default is REQUIRED and name not in args]
        if missing:
            message = f"{schema.name} needs {', '.join(missing)}, which the config does not give"
            raise ConfigError([Problem(message, plan.mark)])
        place = f"while building {schema.name}" + (f" ({plan.mark})" if plan.mark else "")
        try:
            return plan.cls(**{name: plain(self._with_specs_built(value)) for name, value in args.items()})
        except PpdetError as error:
            error.in_context(place)
            raise
        except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, AssertionError) as error:
            raise ConfigError(_refused(schema.name, error)).in_context(place) from error

    def _arguments(self, plan: _Plan, schema: Schema, extra: Mapping[str, Any]) -> dict[str, Any]:
        """All known arguments, in rising precedence: defaults, top level, shared, section, extra."""
        problems = check_arguments(schema, plan.section)
        if len(plan.args) > len(schema.defaults):
            message = f"{schema.name} takes {len(schema.defaults)} arguments, {len(plan.args)} are given"
            problems.append(Problem(message, plan.mark))
        unknown = [] if schema.is_open else [name for name in extra if name not in schema.defaults]
        for name in unknown:
            problems.append(Problem(f"{schema.name} cannot be used here: it takes no argument {name!r}", plan.mark))
        if problems:
            raise ConfigError(problems)
        args = {name: default for name, default in schema.defaults.items() if default is not REQUIRED}
        for source in (self.config, self.shared):
            args.update({name: source[name] for name in schema.shared if name in source})
        args.update(zip(schema.defaults, plan.args))
        args.update(schema.with_new_names(plan.section, getattr(self.config, "files", ())))
        args.update(extra)
        return args

    def _injected(self, value: Any) -> Any:
        """A component argument: names, specs and ``{name: X}`` are built, anything else is returned unchanged."""
        if isinstance(value, list):
            return [self._injected(item) for item in value]
        if isinstance(value, str) or _names_a_component(value):
            return self.build(value)
        return value

    def _with_specs_built(self, value: Any) -> Any:
        """Build each ``!Tag``, also within arguments that are not injected."""
        if isinstance(value, Spec):
            return self.build(value)
        if isinstance(value, ConfigList):
            return [self._with_specs_built(item) for item in value]
        if isinstance(value, ConfigDict):
            return {key: self._with_specs_built(item) for key, item in value.items()}
        return value


def _refused(name: str, error: Exception) -> str:
    """The line of the constructor of class `name` that failed on its arguments, and why."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(last.filename)}:{last.lineno}"
    reason = f"{type(error).__name__}: {short_repr(str(error), 200)}"
    return f"{name}: an argument does not fit: {reason} (in {where}); check its value"


def _names_a_component(value: Any) -> bool:
    return isinstance(value, Spec) or (isinstance(value, dict) and "name" in value)


def _as_section(section: Mapping[str, Any], mark: Mark | None) -> ConfigDict:
    """A plain marked copy of a mapping of arguments."""
    copy = ConfigDict(section, mark)
    if isinstance(section, ConfigDict):
        copy._init_marks(None, like=section)
    copy.mark = mark or copy.mark
    return copy
