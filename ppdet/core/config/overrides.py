"""``-o a.b=c``: change one value of a loaded config from the command line.

The path may go into mappings, tagged specs, list items by index (``schedulers.0`` or ``schedulers[0]``) and list items
by name (``sample_transforms.TopDownAffine.use_udp``). The nodes along the path are copied, so nothing else changes. One
exception is intended: a path that starts at the top-level home of an anchor changes the anchor and all its aliases.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, Union

from ppdet.core.config.merge import merge
from ppdet.core.config.nodes import Anchor, ConfigDict, ConfigList, Spec, entries_of
from ppdet.core.config.yaml_loader import parse_yaml
from ppdet.core.errors import ConfigError
from ppdet.core.problem import Mark, Problem, did_you_mean

Node = Union[ConfigDict, ConfigList]


class Override(NamedTuple):
    """One parsed option: the path, the value, and the text as given."""

    path: list[str]
    value: Any
    mark: Mark


def parse_override(text: str) -> Override:
    """Split ``a.b[0].c=value`` at its first ``=`` and read the value as YAML.

    Raises:
        ConfigError: no ``=``, an empty path component, or a value that is not YAML.
    """
    mark = Mark(f"-o {text}", 0)
    key, equals, value = text.partition("=")
    if not equals:
        raise ConfigError([Problem("an option is key=value, for example -o TrainReader.batch_size=32", mark)])
    path = re.sub(r"\[(-?\d+)\]", r".\1", key.strip()).split(".")
    if path[0] == "_BASE_":
        raise ConfigError([Problem("bases are read before options; make a config with other bases", mark)])
    if not all(path):
        raise ConfigError([Problem(f"the path {key!r} has an empty component", mark)])
    try:
        parsed = parse_yaml(value, mark.file)
    except ConfigError as error:
        reasons = "; ".join(problem.message for problem in error.problems)
        raise ConfigError([Problem(f"the value {value!r} is not YAML: {reasons}", mark)]) from None
    _mark_all(parsed, mark)
    return Override(path, parsed, mark)


def apply_overrides(root: ConfigDict, options: Sequence[str]) -> ConfigDict:
    """Apply options in order to a copy; `root` itself is not changed.

    Raises:
        ConfigError: naming all options that are malformed or whose path does not exist.
    """
    problems: list[Problem] = []
    for text in options:
        try:
            root = _apply(root, parse_override(text))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return root


def _apply(root: ConfigDict, override: Override) -> ConfigDict:
    top = override.path[0]
    anchor = root.anchor_at(top)
    changed = _set(root, override.path, override, [])
    if anchor is None:
        return changed
    changed.anchors[top] = anchor
    changed.homes.add(top)
    return _replace_anchor(changed, anchor, changed[top], {})


def _set(node: Any, path: Sequence[str | int], override: Override, done: Sequence[str]) -> Any:
    """`node` with the value at `path` replaced; nodes along the path are new, others are shared."""
    path = _in_list(node, path, override, done) if isinstance(node, ConfigList) else _in_mapping(node, path)
    key: Any = path[0]
    rest, here = path[1:], [*done, str(key)]
    twin = node.copy()
    old = node[key] if isinstance(node, ConfigList) else node.get(key)
    if rest:
        twin[key] = _set(_inside(old, rest[0], override, here), rest, override, here)
    else:
        twin[key] = merge(old, override.value)
    if not rest or key not in twin.key_marks:
        twin.key_marks[key] = override.mark
    twin.anchors.pop(key, None)
    twin.homes.discard(key)
    return twin


def _inside(value: Any, key: str | int, override: Override, done: Sequence[str]) -> Node:
    """The mapping or list into which the path continues; a missing or empty value becomes a mapping."""
    if value is None:
        return ConfigDict(mark=override.mark)
    if isinstance(value, (ConfigDict, ConfigList)):
        return value
    place = ".".join(done)
    hint = f"; to set {key!r} of that component use {value}.{key}=..." if isinstance(value, str) else ""
    raise ConfigError([Problem(f"{place} is {value!r}, which has nothing inside it{hint}", override.mark)])


def _in_mapping(node: ConfigDict, path: Sequence[str | int]) -> Sequence[str | int]:
    """The path with its first part as the key that is there: ``0`` may mean the number 0."""
    if path[0] in node:
        return path
    by_text = {str(key): key for key in node if not isinstance(key, str)}
    return [by_text.get(str(path[0]), path[0]), *path[1:]]


def _in_list(node: ConfigList, path: Sequence[str | int], override: Override, done: Sequence[str]) -> Sequence[str | int]:
    """The path with its first part as an index; a name is looked up among the items."""
    part, place = str(path[0]), ".".join(done)
    if re.fullmatch(r"-?\d+", part):
        if -len(node) <= int(part) < len(node):
            return [int(part) % len(node), *path[1:]]
        raise ConfigError([Problem(f"{place} has {len(node)} items; there is no item {part}", override.mark)])
    names = [name_of(item) for item in node]
    found = [index for index, name in enumerate(names) if name == part]
    if len(found) > 1:
        indices = " or ".join(f"{place}.{index}" for index in found)
        raise ConfigError([Problem(f"{place} has {part} {len(found)} times; say which: {indices}", override.mark)])
    if not found:
        known = [name for name in names if name]
        having = f"it has {', '.join(known)}" if known else "its items have no names, use an index"
        message = f"{place} has no item {part!r}: {having}{did_you_mean(part, known)}"
        raise ConfigError([Problem(message, override.mark)])
    item = node[found[0]]
    is_operation = isinstance(item, ConfigDict) and not isinstance(item, Spec) and "name" not in item
    return [found[0], *([part] if is_operation else []), *path[1:]]


def name_of(item: Any) -> str | None:
    """The class a list item names: ``!Tag``, ``{name: X}``, ``{X: {...}}`` or a bare ``X``; None for anything else."""
    if isinstance(item, Spec):
        return item.tag
    if isinstance(item, str):
        return item
    if isinstance(item, ConfigDict):
        if isinstance(item.get("name"), str):
            return item["name"]
        if len(item) == 1 and isinstance(next(iter(item)), str):
            return next(iter(item))
    return None


def _replace_anchor(node: Any, anchor: Anchor, value: Any, memo: dict[int, Any]) -> Any:
    """`node` with `value` in every place of `anchor`; what holds none of them stays the same object."""
    if not isinstance(node, (ConfigDict, ConfigList)) or node is value:
        return node
    if id(node) in memo:
        return memo[id(node)]
    twin = None
    for key, item in entries_of(node):
        new = value if node.anchors.get(key) == anchor else _replace_anchor(item, anchor, value, memo)
        if new is not item:
            twin = node.copy() if twin is None else twin
            twin[key] = new
    memo[id(node)] = node if twin is None else twin
    return memo[id(node)]


def _mark_all(node: Any, mark: Mark) -> None:
    """Mark everything inside an option's value as written in the option."""
    if isinstance(node, (ConfigDict, ConfigList)):
        node.mark = mark
        for key, value in entries_of(node):
            node.key_marks[key] = mark
            _mark_all(value, mark)
