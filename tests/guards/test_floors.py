"""Imports go down, and below the Paddle line nothing imports Paddle (the table in ARCHITECTURE.md)."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Iterator

ROOT = Path(__file__).resolve().parents[2]

#: package -> floor; a package may import only packages of a strictly lower floor, and itself
FLOORS = {
    "core": 0,
    "skeletons": 1,
    "geometry": 2,
    "image": 2,
    "annotations": 2,
    "codecs": 3,
    "visualize": 3,
    "inference": 4,
    "data": 5,
    "modeling": 5,
    "metrics": 5,
    "optimizer": 5,
    "engine": 6,
    "commands": 7,
}
#: a deployed machine has floors up to `inference` only, and the commands that run exported models
DEPLOY_CEILING = FLOORS["inference"]
DEPLOYED_COMMANDS = ("flags", "pose", "detect", "draw")
PADDLE_PACKAGES = {"modeling", "optimizer", "engine"}
PADDLE_FILES = {"ppdet/data/loading/reader.py", "ppdet/inference/runtimes/paddle.py"}


def _sources(*folders: str) -> Iterator[tuple[str, ast.AST]]:
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), ast.parse(file.read_text(encoding="utf-8"))


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.lineno, node.module


def test_imports_go_down() -> None:
    broken = []
    for path, tree in _sources("ppdet"):
        parts = path.split("/")
        if len(parts) < 3:
            continue
        own = parts[1]
        for line, name in _imports(tree):
            target = name.split(".")[1] if name.startswith("ppdet.") else None
            if target in FLOORS and target != own and FLOORS[target] >= FLOORS[own]:
                broken.append(f"{path}:{line}: {own} (floor {FLOORS[own]}) imports {target} (floor {FLOORS[target]})")
    assert not broken, "imports must go to a strictly lower floor:\n" + "\n".join(broken)


def test_every_package_has_a_floor() -> None:
    packages = {p.parent.name for p in (ROOT / "ppdet").glob("*/__init__.py")}
    assert packages - {"model_zoo"} <= set(FLOORS), f"give these a floor: {sorted(packages - set(FLOORS))}"


def test_paddle_stays_above_its_line() -> None:
    broken = [
        f"{path}:{line}: {name}"
        for path, tree in _sources("ppdet", "deploy")
        for line, name in _imports(tree)
        if name.split(".")[0] == "paddle" and path.split("/")[1] not in PADDLE_PACKAGES and path not in PADDLE_FILES
    ]
    assert not broken, "only " + ", ".join(sorted(PADDLE_PACKAGES | PADDLE_FILES)) + " may import paddle:\n" + "\n".join(broken)


def test_deployed_code_uses_only_the_lower_floors() -> None:
    def allowed(name: str) -> bool:
        parts = name.split(".")
        if parts[1] == "commands":
            return len(parts) > 2 and parts[2] in DEPLOYED_COMMANDS
        return FLOORS.get(parts[1], 99) <= DEPLOY_CEILING

    deployed = {f"ppdet/commands/{name}.py" for name in DEPLOYED_COMMANDS}
    broken = [
        f"{path}:{line}: {name}"
        for path, tree in _sources("deploy", "ppdet/commands")
        if path.startswith("deploy/") or path in deployed
        for line, name in _imports(tree)
        if name.startswith("ppdet.") and not allowed(name)
    ]
    assert not broken, "a deployed machine has no training code:\n" + "\n".join(broken)
