"""Imports go down and never in a circle, and below the Paddle line nothing imports Paddle (the table in ARCHITECTURE.md)."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Iterator

from support.import_graph import circles, folder_graph, module_graph

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
    "service": 5,
    "data": 5,
    "modeling": 5,
    "metrics": 5,
    "optimizer": 5,
    "engine": 6,
    "commands": 7,
}
#: a deployed machine has floors up to `inference` only, and the commands that run exported models
DEPLOY_CEILING = FLOORS["inference"]
DEPLOYED_PACKAGES = {name for name, floor in FLOORS.items() if floor <= DEPLOY_CEILING} | {"service"}
DEPLOYED_COMMANDS = ("running", "deployed", "demonstration", "flags", "console")
DEMO_EXPORT = "ppdet/commands/demonstration/export.py"  # imported only if --weights gives .pdparams, which needs Paddle
PADDLE_PACKAGES = {"modeling", "optimizer", "engine"}
PADDLE_FILES = {"ppdet/data/loading/reader.py", "ppdet/inference/runtimes/paddle.py"}
MOST_MODULES = 15


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
        return parts[1] in DEPLOYED_PACKAGES

    def deployed(path: str) -> bool:
        return path.startswith("deploy/") or (path.split("/")[2] in DEPLOYED_COMMANDS and path != DEMO_EXPORT)

    broken = [
        f"{path}:{line}: {name}"
        for path, tree in _sources("deploy", "ppdet/commands")
        if deployed(path)
        for line, name in _imports(tree)
        if name.startswith("ppdet.") and not allowed(name)
    ]
    assert not broken, "a deployed machine has no training code:\n" + "\n".join(broken)


def test_no_circle_between_files() -> None:
    found = circles(module_graph(ROOT / "ppdet"))
    assert not found, "these modules import each other, in functions or for types included:\n" + "\n".join(found)


def test_no_circle_between_folders() -> None:
    """Of every package with sub-folders: between these and its loose files."""
    modules = module_graph(ROOT / "ppdet")
    inner = {file.parent.parent for file in (ROOT / "ppdet").rglob("__init__.py")} - {ROOT}
    found = []
    for package in sorted(".".join(folder.relative_to(ROOT).parts) for folder in inner):
        found += circles(folder_graph(modules, package))
    assert not found, "these folders and loose files import each other:\n" + "\n".join(found)


def test_a_circle_is_found_however_it_is_closed(tmp_path: Path) -> None:
    sources = {
        "__init__": "",
        "a": "from ppdet import b",
        "b": "def late():\n    from .room.c import x",
        "room/__init__": "",
        "room/c": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import ppdet.room.d",
        "room/d": "from ppdet.a import y",
        "alone": "import ppdet.a",
    }
    for name, text in sources.items():
        path = tmp_path / "ppdet" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    modules = module_graph(tmp_path / "ppdet")
    (files,) = circles(modules)
    assert files == (
        "ppdet.a -> ppdet.b (ppdet/a.py:1) -> ppdet.room.c (ppdet/b.py:2) -> ppdet.room.d (ppdet/room/c.py:3) -> "
        "ppdet.a (ppdet/room/d.py:1)"
    )
    (folders,) = circles(folder_graph(modules, "ppdet"))
    assert folders == "ppdet.a -> ppdet.b (ppdet/a.py:1) -> ppdet.room (ppdet/b.py:2) -> ppdet.a (ppdet/room/d.py:1)"
    (tmp_path / "ppdet" / "room" / "d.py").write_text("")
    module_graph.cache_clear()
    assert circles(module_graph(tmp_path / "ppdet")) == []


def test_no_folder_is_too_full() -> None:
    counts: dict[str, int] = {}
    for path, _ in _sources("ppdet"):
        if not path.endswith("__init__.py"):
            counts[path.rpartition("/")[0]] = counts.get(path.rpartition("/")[0], 0) + 1
    full = {folder: count for folder, count in counts.items() if count > MOST_MODULES}
    assert not full, f"at most {MOST_MODULES} modules to a folder; split these by what they are about: {full}"


#: what looks at the kind of a model: it belongs to `engine.tasks` and to the estimators, everything else asks these
KIND_BRANCH = re.compile(
    r"""\bkind["')]*\s*(==|!=|in|not\ in)\s*[("'{[]*(top_down|bottom_up|detection)\b
    | isinstance\([^)]*\b(TopDown\w*Estimator|BottomUp\w*|BoxDetector|HeatmapCodec|AssociativeEmbeddingCodec)\b
    | \bis_(top_down|bottom_up|detector)\b
    | architecture["')\]]*\s*(==|!=|in|not\ in)\s*[("'{[A-Z]""",
    re.VERBOSE,
)
KIND_HOMES = ("ppdet/engine/tasks/", "ppdet/inference/estimators/")


def test_only_tasks_and_estimators_look_at_the_kind_of_a_model() -> None:
    above_and_below = [
        f"{path.relative_to(ROOT).as_posix()}:{number}: {line.strip()}"
        for folder in ("engine", "inference", "commands")
        for path in sorted((ROOT / "ppdet" / folder).rglob("*.py"))
        if not path.relative_to(ROOT).as_posix().startswith((*KIND_HOMES, "ppdet/engine/converters/"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if KIND_BRANCH.search(line)
    ]
    assert not above_and_below, "ask the task or the estimator instead:\n" + "\n".join(above_and_below)
