"""Who imports whom in the package, read from the source: imports for types and inside functions count as well."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path
from typing import Iterable, Mapping

Graph = Mapping[str, Mapping[str, str]]
"""Node -> the nodes that it imports, each with the place of one such import."""


@lru_cache
def module_graph(package: Path) -> dict[str, dict[str, str]]:
    """Imports between the modules of a package, by dotted names; a package stands for its `__init__.py`."""
    files = {_dotted(path, package): path for path in package.rglob("*.py")}
    graph: dict[str, dict[str, str]] = {}
    for name, path in files.items():
        found = graph.setdefault(name, {})
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for target in _targets(node, name, path.name == "__init__.py", files):
                if target != name:
                    found.setdefault(target, f"{path.relative_to(package.parent).as_posix()}:{node.lineno}")
    return graph


def folder_graph(modules: Graph, package: str) -> dict[str, dict[str, str]]:
    """Imports between the rooms of one package: its sub-folders and its loose files."""
    graph: dict[str, dict[str, str]] = {}
    for name, imported in modules.items():
        room = _room(name, package, modules)
        for target, place in imported.items():
            other = _room(target, package, modules)
            if room is not None and other is not None and room != other:
                graph.setdefault(room, {}).setdefault(other, place)
    return graph


def circles(graph: Graph) -> list[str]:
    """One line for each group of nodes that import each other, in a circle: ``a -> b (file:line) -> a (file:line)``."""
    found, done = [], set()
    for start in sorted(graph):
        if start in done:
            continue
        path = _way_back(graph, start)
        if path:
            done.update(path)
            steps = [f"{target} ({graph[source][target]})" for source, target in zip(path, [*path[1:], start])]
            found.append(" -> ".join([start, *steps]))
    return found


def _way_back(graph: Graph, start: str) -> list[str]:
    """The nodes of a shortest circle through a node, beginning with it; empty if there is none."""
    before: dict[str, str] = {}
    queue = [start]
    for node in queue:
        for target in graph.get(node, {}):
            if target == start:
                path = [node]
                while path[-1] != start:
                    path.append(before[path[-1]])
                return path[::-1]
            if target not in before:
                before[target] = node
                queue.append(target)
    return []


def _targets(node: ast.AST, module: str, is_package: bool, known: Iterable[str]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if alias.name in known]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        parents = module.split(".")
        parents = parents[: len(parents) - node.level + is_package]
        base = ".".join([*parents, *([base] if base else [])])
    if base not in known:
        return []
    return [f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base for alias in node.names]


def _room(module: str, package: str, modules: Graph) -> str | None:
    """The folder or loose file of a package that a module belongs to; None for others and the package's `__init__`."""
    return None if not module.startswith(f"{package}.") else f"{package}.{module[len(package) + 1 :].split('.')[0]}"


def _dotted(path: Path, package: Path) -> str:
    parts = [package.name, *path.relative_to(package).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
