"""Safe YAML with line numbers. Builds nothing: ``!Tag`` becomes a `Spec`.

It differs from plain YAML 1.1 where people mean something else: ``1e-3`` is a number, ``None`` is null, a section given twice
is an error and a scalar given twice a warning. Everything else, ``yes`` and ``on`` included, is read as by PyYAML's
SafeLoader. Size and nesting are limited, since a few hundred bytes of aliases can stand for billions of values.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Any, NoReturn

import yaml

from ppdet.core.config.nodes import Anchor, ConfigDict, ConfigList, Spec, plain
from ppdet.core.errors import ConfigError
from ppdet.core.files import read_regular_file
from ppdet.core.problem import Mark, Problem, did_you_mean, short_repr
from ppdet.core.shipped import nearest_config

__all__ = ["Anchor", "ConfigDict", "ConfigList", "Mark", "Spec", "load_plain_yaml", "load_yaml", "parse_yaml"]

MAX_BYTES = 4 << 20
MAX_NODES = 100_000
"""Values of a document with every alias written out; published configs have a few hundred. Twelve lines of aliases of aliases
("billion laughs") would otherwise expand to 10^11 wherever a config is walked through."""
MAX_DEPTH = 60

# Windows' Notepad and PowerShell's `>` write UTF-16. The mark of UTF-32 begins with that of UTF-16, so it comes first.
_ENCODINGS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"),
              (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip

_STANDARD = "tag:yaml.org,2002:"
_MERGE = _STANDARD + "merge"


class _Loader(yaml.SafeLoader):
    """Composes nodes with their anchors, and constructs our containers from them."""

    def __init__(self, text: str, file: str) -> None:
        super().__init__(text)
        self.file = file
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._made: dict[int, Any] = {}
        self._open: set[int] = set()
        self._extent: dict[int, tuple[int, int]] = {}
        self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse(f"values are nested more than {MAX_DEPTH} levels deep", event)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if not isinstance(event, yaml.AliasEvent) and event.anchor is not None:
            node.anchor = Anchor(event.anchor, self.mark(event))
        return node

    def mark(self, node: Any) -> Mark:
        return Mark(self.file, node.start_mark.line + 1)

    def problem(self, message: str, node: Any) -> None:
        self.problems.append(Problem(message, self.mark(node)))

    def _refuse(self, message: str, node: Any) -> NoReturn:
        raise ConfigError([Problem(f"{message}; a config holds plain settings", self.mark(node))])

    def _measure(self, node: yaml.Node) -> None:
        """Note how many values a node holds, aliases written out, and how deep; refuse what is beyond the limits."""
        children = [child for pair in node.value for child in pair] if isinstance(node, yaml.MappingNode) else node.value
        if isinstance(node, yaml.ScalarNode):
            children = []
        extents = [self._extent.get(id(child), (1, 1)) for child in children]
        count = 1 + sum(extent[0] for extent in extents)
        depth = 1 + max((extent[1] for extent in extents), default=0)
        self._extent[id(node)] = count, depth
        if count > MAX_NODES:
            self._refuse(f"with its aliases written out the file holds more than {MAX_NODES} values", node)
        if depth > MAX_DEPTH:
            self._refuse(f"with its aliases written out values are nested more than {MAX_DEPTH} levels deep", node)

    def value(self, node: yaml.Node) -> Any:
        """The object of a node; all aliases of a node give the same object."""
        if id(node) in self._made:
            return self._made[id(node)]
        if id(node) in self._open:
            self.problem(f"the anchor &{node.anchor.name} contains itself", node)
            return None
        self._open.add(id(node))
        self._made[id(node)] = made = self._construct(node)
        self._measure(node)
        self._open.discard(id(node))
        return made

    def _construct(self, node: yaml.Node) -> Any:
        if node.tag.startswith("!") and len(node.tag) > 1:
            return self._spec(node)
        if isinstance(node, yaml.MappingNode) and node.tag == _STANDARD + "map":
            return self._fill(ConfigDict(mark=self.mark(node)), node)
        if isinstance(node, yaml.SequenceNode) and node.tag == _STANDARD + "seq":
            return self._items(node)
        if isinstance(node, yaml.ScalarNode) and node.tag in self.yaml_constructors:
            return self._scalar(node, node.tag)
        if node.tag == "!":
            return self.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None
        self.problem(f"the tag {node.tag.replace(_STANDARD, '!!')} is not allowed; a config holds plain data", node)
        return None

    def _spec(self, node: yaml.Node) -> Spec:
        spec = Spec(mark=self.mark(node), tag=node.tag[1:])
        if isinstance(node, yaml.MappingNode):
            self._fill(spec, node)
        elif isinstance(node, yaml.SequenceNode):
            spec.args = list(self._items(node))
        elif node.value or node.style:
            tag = self.resolve(yaml.ScalarNode, node.value, (not node.style, bool(node.style)))
            spec.args = [self._scalar(node, tag)]
        return spec

    def _scalar(self, node: yaml.ScalarNode, tag: str) -> Any:
        try:
            value = self.yaml_constructors[tag](self, node)
            if isinstance(value, int) and abs(value) >= 1 << 63:
                raise ValueError("it does not fit into 64 bits")
            return value
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, yaml.constructor.ConstructorError) as error:
            # PyYAML checks little before it converts: `!!int ""` is an IndexError, `!!bool 7` a KeyError.
            self.problem(f"{short_repr(node.value)} is not a valid {tag.replace(_STANDARD, '')} ({error})", node)
            return None

    def _items(self, node: yaml.SequenceNode) -> ConfigList:
        items = ConfigList(mark=self.mark(node))
        for index, child in enumerate(node.value):
            first = id(child) not in self._made
            items.append(self.value(child))
            self._note(items, index, child, self.mark(child), first)
        return items

    def _fill(self, into: ConfigDict, node: yaml.MappingNode) -> ConfigDict:
        inherited: list[ConfigDict] = []
        for key_node, child in node.value:
            if key_node.tag == _MERGE:
                inherited += self._merged(child)
                continue
            key = self._key(key_node)
            if key in into:
                self._note_duplicate(into, key, key_node, child)
            first = id(child) not in self._made
            into[key] = self.value(child)
            self._note(into, key, child, self.mark(key_node), first)
        for source in inherited:
            for key in source:
                if key not in into:
                    into.put(key, source[key], source)
                    into.homes.discard(key)
        return into

    def _note_duplicate(self, into: ConfigDict, key: Any, key_node: yaml.Node, child: yaml.Node) -> None:
        """A section given twice is an error. Of two scalars the later counts, with a warning: published configs have such."""
        message = f"the key {key!r} is given twice in one mapping, first in line {into.key_marks[key].line}"
        if isinstance(child, yaml.ScalarNode) and not isinstance(into[key], (dict, list)):
            self.warnings.append(Problem(f"{message}; this later value counts", self.mark(key_node), "warning"))
        else:
            self.problem(message, key_node)

    def _key(self, node: yaml.Node) -> Any:
        key = self.value(node)
        if isinstance(key, (dict, list)):
            self.problem("a key must be a name or a number, not a mapping or a list", node)
            return f"line {node.start_mark.line + 1}"
        return key

    def _merged(self, node: yaml.Node) -> list[ConfigDict]:
        value = self.value(node)
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, ConfigDict) for source in sources):
            self.problem("'<<' takes a mapping or a list of mappings", node)
            return []
        return list(sources)

    def _note(self, into: ConfigDict | ConfigList, key: Any, child: Any, mark: Mark, first: bool) -> None:
        into.key_marks[key] = mark
        anchor = getattr(child, "anchor", None)
        if anchor is not None:
            into.anchors[key] = anchor
            if first:
                into.homes.add(key)


_Loader.add_implicit_resolver(
    _STANDARD + "float",
    re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)
_Loader.add_implicit_resolver(_STANDARD + "null", re.compile(r"^None$"), ["N"])


def parse_yaml(text: str, file: str, warnings: list[Problem] | None = None) -> Any:
    """Read YAML text.

    Args:
        text: one YAML document.
        file: what marks and messages call the source.
        warnings: a list to which findings that are not errors are appended.

    Returns:
        `ConfigDict`, `ConfigList`, `Spec` or a scalar; None for an empty text.

    Raises:
        ConfigError: with file and line, for broken syntax, duplicate keys, unknown aliases, unsafe tags, and for more than
            100,000 values or 60 levels once aliases are written out.
    """
    try:
        loader = _Loader(text, file)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError([Problem(f"a character that YAML forbids: {error.reason}", Mark(file, line))]) from None
    try:
        node = loader.get_single_node()
        value = None if node is None else loader.value(node)
    except yaml.MarkedYAMLError as error:
        raise ConfigError([_syntax_problem(error, loader)]) from None
    finally:
        loader.dispose()
    if loader.problems:
        raise ConfigError(loader.problems)
    if warnings is not None:
        warnings += loader.warnings
    return value


def load_yaml(path: str | Path, warnings: list[Problem] | None = None) -> Any:
    """Read a YAML file in UTF-8, or in UTF-16 or UTF-32 with a byte order mark; marks name it as given in `path`.

    Raises:
        ConfigError: the file cannot be read or decoded, or its content is wrong, see `parse_yaml`.
    """
    encoding = "utf-8-sig"
    try:
        data = read_regular_file(path, MAX_BYTES)
        encoding = next((name for mark, name in _ENCODINGS if data.startswith(mark)), encoding)
        text = data.decode(encoding)
    except OSError as error:
        near = nearest_config(Path(path)) if isinstance(error, FileNotFoundError) else ""
        advice = near or "; check the path"
        raise ConfigError(f"cannot read the config {short_repr(str(path))}: {error.strerror}{advice}") from None
    except UnicodeDecodeError as error:
        name = encoding.upper().replace("-SIG", "")
        raise ConfigError(f"{path} is not {name} text (byte {error.start}): a config is a text file; save it as UTF-8") from None
    return parse_yaml(text, str(path), warnings)


def _syntax_problem(error: yaml.MarkedYAMLError, loader: _Loader) -> Problem:
    mark = error.problem_mark or error.context_mark
    message = " ".join(part for part in (error.context, error.problem) if part)
    alias = re.search(r"found undefined alias '([^']+)'", message)
    if alias:
        name = alias.group(1)
        message = f"the alias *{name} has no anchor &{name} above it{did_you_mean(name, loader.anchors)}"
    elif "'\\t'" in message:
        message = "a tab is used for indentation; YAML wants spaces"
    return Problem(message, Mark(loader.file, mark.line + 1) if mark else None)


def load_plain_yaml(path: str | Path) -> Any:
    """A YAML file without tags, in ordinary dicts and lists.

    Raises:
        ConfigError: as `load_yaml`, or a value has a tag.
    """
    try:
        return plain(load_yaml(path))
    except TypeError as error:
        raise ConfigError(f"{path}: {str(error)[:200]}; expected names, numbers, lists and mappings without a !tag") from error
