"""The containers that YAML is read into: dicts and lists that know the location of each entry, and lazy ``!Tag`` specs.

An *anchor* is YAML's ``&name``; its *home* is the entry with the ``&``; each ``*name`` is an alias of it. Anchor and aliases are
the same Python object. Nodes are never changed after loading: an override makes new nodes along its path (see
`ppdet.core.config.overrides`), so it affects no other place and no other config.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ppdet.core.problem import Mark


class Anchor(NamedTuple):
    """Identity of one ``&name``: anchors are local to a file, so the location is part of it."""

    name: str
    mark: Mark


class _Marked:
    """Common part of dicts and lists. Keys are dict keys or list indices."""

    mark: Mark | None
    key_marks: dict[Any, Mark]
    anchors: dict[Any, Anchor]
    homes: set[Any]

    def _init_marks(self, mark: Mark | None, like: _Marked | None = None) -> None:
        self.mark = mark if like is None else like.mark
        self.key_marks = {} if like is None else dict(like.key_marks)
        self.anchors = {} if like is None else dict(like.anchors)
        self.homes = set() if like is None else set(like.homes)

    def mark_of(self, key: Any) -> Mark | None:
        """Location of an entry; that of the whole node if it is not known."""
        return self.key_marks.get(key, self.mark)

    def anchor_at(self, key: Any) -> Anchor | None:
        """The anchor whose home this entry is, or None."""
        return self.anchors.get(key) if key in self.homes else None

    def put(self, key: Any, value: Any, like: _Marked, source: Any = None) -> None:
        """Set an entry, with the mark and anchor of the entry `source` (default: the same key) of another node."""
        source = key if source is None else source
        self[key] = value  # type: ignore[index]
        for table in ("key_marks", "anchors"):
            mine, others = getattr(self, table), getattr(like, table)
            mine.pop(key, None)
            if source in others:
                mine[key] = others[source]
        self.homes.discard(key)
        if source in like.homes:
            self.homes.add(key)


class ConfigDict(dict, _Marked):
    """A YAML mapping."""

    def __init__(self, entries: Mapping | Iterable[tuple[Any, Any]] = (), mark: Mark | None = None) -> None:
        super().__init__(entries)
        self._init_marks(mark)

    def copy(self) -> ConfigDict:
        """A shallow copy with all marks."""
        twin = type(self)(self)
        twin._init_marks(None, like=self)
        return twin


class Spec(ConfigDict):
    """``!Tag {...}``: the name of a class and its arguments, to be built later by the builder.

    Attributes:
        tag: the class name, without the exclamation mark.
        args: positional arguments (``!PiecewiseDecay [[0.1], [170]]``), usually empty.
    """

    def __init__(
        self,
        entries: Mapping | Iterable[tuple[Any, Any]] = (),
        mark: Mark | None = None,
        tag: str = "",
        args: Iterable[Any] = (),
    ) -> None:
        super().__init__(entries, mark)
        self.tag = tag
        self.args: list[Any] = list(args)

    def copy(self) -> Spec:
        """A shallow copy with all marks."""
        twin = type(self)(self, tag=self.tag, args=self.args)
        twin._init_marks(None, like=self)
        return twin

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Spec):
            return False
        return self.tag == other.tag and self.args == other.args and dict.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __repr__(self) -> str:
        return f"!{self.tag} {self.args or dict(self)!r}"


class ConfigList(list, _Marked):
    """A YAML sequence."""

    def __init__(self, items: Iterable[Any] = (), mark: Mark | None = None) -> None:
        super().__init__(items)
        self._init_marks(mark)

    def copy(self) -> ConfigList:
        """A shallow copy with all marks."""
        twin = type(self)(self)
        twin._init_marks(None, like=self)
        return twin


def entries_of(node: Any) -> Iterator[tuple[Any, Any]]:
    """(key, value) of a mapping, (index, item) of a list, nothing of a scalar."""
    if isinstance(node, dict):
        yield from node.items()
    elif isinstance(node, list):
        yield from enumerate(node)


def places_of(node: Any, anchor: Anchor, path: str = "") -> list[str]:
    """The dotted paths below `node` of an anchor and its aliases."""
    found = []
    for key, item in entries_of(node):
        here = f"{path}.{key}" if path else str(key)
        if node.anchors.get(key) == anchor:
            found.append(here)
        else:
            found += places_of(item, anchor, here)
    return found


def plain(value: Any) -> Any:
    """A copy in ordinary dicts and lists that may be changed without affecting the config.

    Raises:
        TypeError: it contains a `Spec`, which the caller should have built.
    """
    if isinstance(value, Spec):
        raise TypeError(f"{value!r} is not plain data: build it first")
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def mentions(node: Any, text: Any) -> bool:
    """Whether any value in nested containers (not keys) is that text."""
    if isinstance(node, dict):
        return any(mentions(value, text) for value in node.values()) or getattr(node, "tag", None) == text
    return any(mentions(value, text) for value in node) if isinstance(node, list) else bool(node == text)
