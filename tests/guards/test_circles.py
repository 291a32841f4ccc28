"""No circles between the files of ppdet/inference or between its rooms; imports for types and inside functions count."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOME = "ppdet/inference"


def _modules() -> dict[str, Path]:
    files = sorted((ROOT / HOME).rglob("*.py"))
    return {".".join(f.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): f for f in files}


def _imports(path: Path) -> set[str]:
    """Every module that a file may import, by whatever statement; `from package import name` counts as package.name, too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _circles(edges: dict[str, set[str]]) -> list[str]:
    """The members of every strongly connected set of more than one, by reachability."""
    reach = {name: set(targets) for name, targets in edges.items()}
    for middle in edges:
        for name in edges:
            if middle in reach[name]:
                reach[name] |= reach[middle]
    return sorted(f"{a} <-> {b}" for a in edges for b in reach[a] if a < b and a in reach.get(b, ()))


def _room(module: str) -> str:
    parts = module.split(".")
    return ".".join(parts[:3]) if len(parts) > 3 or (ROOT / Path(*parts)).is_dir() else module


@pytest.mark.parametrize("of", ["files", "rooms"])
def test_no_circles(of: str) -> None:
    modules = _modules()
    edges: dict[str, set[str]] = {}
    for name, path in modules.items():
        own = name if of == "files" else _room(name)
        targets = {target for target in _imports(path) if target in modules}
        edges.setdefault(own, set()).update(target if of == "files" else _room(target) for target in targets)
        edges[own].discard(own)
    for targets in edges.values():
        targets &= set(edges)
    assert _circles(edges) == []
