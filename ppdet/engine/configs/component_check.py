"""Walks through the components of a config and compares the given arguments with those of the constructors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ppdet.core.config.nodes import ConfigDict, ConfigList, Spec
from ppdet.core.config.overrides import name_of
from ppdet.core.config.paddledet_names import PADDLEDETECTION_NAMES, not_here_yet
from ppdet.core.config.registry import Registry
from ppdet.core.config.schema import REQUIRED, Schema, check_arguments, schema_of
from ppdet.core.problem import Mark, Problem, did_you_mean, nearest

TRANSFORM_LISTS = ("sample_transforms", "batch_transforms")
# Last word of an argument -> package of the built-in components that fit there
PACKAGES = {
    "backbone": "ppdet.modeling.backbones", "neck": "ppdet.modeling.necks", "head": "ppdet.modeling.heads",
    "loss": "ppdet.modeling.losses", "assigner": "ppdet.modeling.assigners",
}  # fmt: skip


class ComponentCheck:
    """Collects the problems of one config in `problems`, and the sections of unknown components in `referenced`.

    `components` lists the known components with the arguments that the config states for them.

    Args:
        config: the top level of the config, where sections of classes are found.
        registry: the known components.
    """

    def __init__(self, config: ConfigDict, registry: Registry) -> None:
        self.config = config
        self.registry = registry
        self.problems: list[Problem] = []
        self.referenced: set[str] = set()
        self.components: list[tuple[Schema, Mapping[str, Any]]] = []
        self._sections_done: set[str] = set()

    def error(self, message: str, mark: Mark | None) -> None:
        """Record an error."""
        self.problems.append(Problem(message, mark))

    def missing(self, name: str, mark: Mark | None) -> None:
        """Record a component of PaddleDetection that is missing here."""
        self.problems.append(Problem(not_here_yet(name), mark, "missing"))

    def reference(self, value: Any, mark: Mark | None) -> None:
        """Check a place where a component is expected: a name, a tagged spec, ``{name: X}`` or a list of these."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                self.reference(item, value.mark_of(index) if isinstance(value, ConfigList) else mark)
        elif isinstance(value, str):
            if self._is_known(value, mark):
                self.section(value)
            elif value not in self._sections_done:
                self._sections_done.add(value)
                self._inside_unknown(self.config.get(value))
        elif isinstance(value, Spec):
            self._component(value.tag, value, value.mark or mark)
        elif isinstance(value, Mapping) and "name" in value:
            name = value["name"]
            if isinstance(name, str):
                self._component(name, value, _mark(value, "name") or mark, ("name",))
                self.section(name)
            else:
                self.error(f"'name' is the name of a class, not {name!r}", mark)

    def require_kind(self, value: Any, place: str, package: str, mark: Mark | None) -> None:
        """Refuse a built-in component of another package where one of `package` is expected; those of plugins may be anywhere."""
        name = name_of(value)
        if name not in self.registry or name is None:
            return
        module = self.registry.get(name).__module__
        if module.startswith("ppdet.") and not module.startswith(f"{package}."):
            fitting = [each for each in self.registry.names() if self.registry.get(each).__module__.startswith(f"{package}.")]
            self.error(f"{place} is {name}, of {module.rpartition('.')[0]}; expected one of {', '.join(fitting)}", mark)

    def section(self, name: str) -> None:
        """Check the top-level section of a class, once."""
        if name in self._sections_done or name not in self.registry:
            return
        self._sections_done.add(name)
        section = self.config.get(name)
        mark = self.config.mark_of(name) if name in self.config else None
        if section is None:
            section = ConfigDict(mark=mark)
        if not isinstance(section, Mapping) or isinstance(section, Spec):
            self.error(f"the section {name} is a mapping of its arguments, not {section!r}", mark)
            return
        self._arguments(name, section)

    def dataset(self, key: str, value: Any, mark: Mark | None) -> None:
        """Check ``TrainDataset`` and similar sections."""
        if value is None:
            return
        if isinstance(value, (str, Spec)) or (isinstance(value, Mapping) and "name" in value):
            self.reference(value, mark)
            self.require_kind(value, key, "ppdet.data.sources", mark)
        else:
            self.error(f"{key} names a dataset, as !ClassName {{...}} or {{name: ClassName, ...}}; got {value!r}", mark)

    def reader(self, key: str, value: Any, mark: Mark | None) -> None:
        """Check ``TrainReader`` and similar sections: a mapping whose transforms are lists of operations."""
        if value is None:
            return
        if not isinstance(value, Mapping):
            self.error(f"{key} is a mapping (sample_transforms, batch_size, ...), not {value!r}", mark)
            return
        if key in self.registry:
            self._sections_done.add(key)
            self.problems += check_arguments(schema_of(self.registry.get(key)), value)
        for part, inner in value.items():
            if part in TRANSFORM_LISTS:
                self.operations(f"{key}.{part}", inner, _mark(value, part))
                for index, item in enumerate(inner if isinstance(inner, list) else ()):
                    self.require_kind(item, f"{key}.{part}[{index}]", "ppdet.data.transforms", _mark(inner, index))
            else:
                self.scan(inner)

    def operations(self, place: str, items: Any, mark: Mark | None) -> None:
        """Check a list of operations: ``- OpName: {arguments}``."""
        if items is None:
            return
        if not isinstance(items, list):
            self.error(f"{place} is a list of operations ('- OpName: {{...}}'), not {items!r}", mark)
            return
        for index, item in enumerate(items):
            self._operation(f"{place}[{index}]", item, _mark(items, index))

    def scan(self, value: Any) -> None:
        """Look for components inside plain data: tagged specs, ``{name: Known}``, lists of operations."""
        if isinstance(value, Spec) or (isinstance(value, Mapping) and self._knows(value.get("name"))):
            self.reference(value, getattr(value, "mark", None))
        elif isinstance(value, Mapping):
            for inner in value.values():
                self.scan(inner)
        elif isinstance(value, list) and self._holds_operations(value):
            self.operations("this list", value, getattr(value, "mark", None))
        elif isinstance(value, list):
            for inner in value:
                self.scan(inner)

    def _operation(self, place: str, item: Any, mark: Mark | None) -> None:
        if isinstance(item, (str, Spec)) or (isinstance(item, Mapping) and "name" in item):
            self.reference(item, mark)
        elif not isinstance(item, Mapping) or not item:
            self.error(f"{place} is one operation, '- OpName: {{...}}', not {item!r}", mark)
        elif len(item) > 1:
            name, *others = item
            hint = f"; indent {', '.join(map(str, others))} below {name}" if item[name] is None else ""
            self.error(f"{place} has {len(item)} keys where one operation is expected{hint}", mark)
        else:
            name, arguments = next(iter(item.items()))
            if not isinstance(arguments, (Mapping, type(None))):
                self.error(f"the arguments of {name} are a mapping, not {arguments!r}", mark)
                arguments = None
            self._component(str(name), arguments if arguments is not None else ConfigDict(mark=mark), mark)

    def _component(self, name: str, own: Mapping[str, Any], mark: Mark | None, ignored: Iterable[str] = ()) -> None:
        if self._is_known(name, mark):
            self._arguments(name, own, tuple(ignored))
        else:
            self._inside_unknown({key: value for key, value in own.items() if key not in ignored})

    def _inside_unknown(self, section: Any) -> None:
        """Check the components that an unknown component refers to; its own arguments cannot be checked."""
        if isinstance(section, Mapping):
            for key, value in section.items():
                if isinstance(value, str) and (self._knows(value) or self._has_section(value)):
                    self.reference(value, _mark(section, key))
                else:
                    self.scan(value)

    def _arguments(self, name: str, section: Mapping[str, Any], ignored: tuple[str, ...] = ()) -> None:
        schema = schema_of(self.registry.get(name))
        self.problems += check_arguments(schema, section, ignored)
        self.components.append((schema, section))
        for key, value in section.items():
            if key in schema.inject:
                mark, package = _mark(section, key), PACKAGES.get(key.rpartition("_")[2])
                self.reference(value, mark)
                if package is not None:
                    self.require_kind(value, f"{name}.{key}", package, mark)
                if value is None and schema.defaults.get(key) is REQUIRED:
                    self.error(f"{name}.{key} is null, and {name} cannot be without: name a component", mark)
            else:
                self.scan(value)

    def _is_known(self, name: str, mark: Mark | None) -> bool:
        """Whether a component of that name exists; if not, record the problem."""
        if name in self.registry:
            return True
        if name in PADDLEDETECTION_NAMES:
            self.missing(name, mark)
        elif self._has_section(name) and nearest(name, self.registry.names(), cutoff=0.8) is None:
            self.referenced.add(name)
            self.problems.append(Problem(f"{name} is not a component of this toolkit", mark, "missing"))
        else:
            self.referenced.add(name)
            hint = did_you_mean(name, [*self.registry.names(), *PADDLEDETECTION_NAMES])
            self.error(f"there is no component {name!r}{hint}", mark)
        return False

    def _has_section(self, name: str) -> bool:
        """Whether the name looks like a class: capitalised, with a section of arguments at the top level."""
        return name[:1].isupper() and isinstance(self.config.get(name), Mapping)

    def _knows(self, name: Any) -> bool:
        return isinstance(name, str) and (name in self.registry or name in PADDLEDETECTION_NAMES)

    def _holds_operations(self, items: list[Any]) -> bool:
        """Whether a list of single-key mappings has one known name; then the others are operations as well, maybe misspelt
        ones."""
        all_single = all(isinstance(item, Mapping) and len(item) == 1 for item in items)
        return all_single and any(self._knows(name_of(item)) for item in items)


def _mark(node: Any, key: Any) -> Mark | None:
    return node.mark_of(key) if isinstance(node, (ConfigDict, ConfigList)) else None
