"""README and docs name commands, flags, files, modules and links that exist, and their Python compiles."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from pathlib import Path

import pytest
from support.doc_pages import PAGES, ROOT, Block, blocks, command_lines, mentioned_modules, mentioned_paths, parse_only

SHELL = blocks("bash", "console", "shell", "sh")
PYTHON = blocks("python")
COMMANDS = [(block, words) for block in SHELL for words in command_lines(block)]
#: packages whose names an example may import; others stand for the reader's own
INSTALLED = {"ppdet", "numpy", "cv2", "paddle", "concurrent"}
#: what else may begin a command line; their words are not checked
OTHER_PROGRAMS = {"git", "cd", "jq", "for", "done", "apt", "source", "curl", "docker", "eval", "openssl"}


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def console_command():
    """The function behind the console script `ppdet`, from pyproject.toml."""
    entry = re.search(r'^ppdet\s*=\s*"([\w.]+):(\w+)"', (ROOT / "pyproject.toml").read_text(), flags=re.M)
    if entry is None:
        pytest.skip("this checkout has no console script `ppdet`")
    return getattr(importlib.import_module(entry[1]), entry[2])


@pytest.mark.parametrize(("block", "words"), COMMANDS, ids=[f"{block.name} {' '.join(words)[:50]}" for block, words in COMMANDS])
def test_the_command_is_understood(block: Block, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    program, *rest = words
    if program in ("python", "python3"):
        if rest[:2] == ["-m", "pytest"]:
            program, rest = "pytest", rest[2:]
        elif rest[:2] == ["-m", "paddle.distributed.launch"]:
            rest = rest[next(index for index, word in enumerate(rest) if word.endswith(".py")) :]
        elif rest[:2] == ["-m", "pip"]:
            program, rest = "pip", rest[2:]
    if program in ("python", "python3"):
        if rest[0] in ("-", "-c"):
            return
        script = ROOT / rest[0]
        assert script.is_file(), f"{block.name}: there is no {rest[0]}"
        check_paths(parse_only(script, rest[1:]), block)
    elif program == "ppdet":
        check_paths(parse_only(console_command(), rest), block)
    elif program == "make":
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
        variables = set(re.findall(r"^([A-Z]+) \?=", (ROOT / "Makefile").read_text(), flags=re.M))
        assert rest[0] in targets, f"{block.name}: make has no target {rest[0]}"
        assert {word.split("=")[0] for word in rest[1:]} <= variables, f"{block.name}: {rest[1:]}"
    elif program == "pip":
        assert rest[0] == "install"
        for option, value in zip(rest, rest[1:]):
            assert option != "-r" or (ROOT / value).is_file(), f"{block.name}: there is no {value}"
    elif program == "pytest":
        paths = [word for word in rest if word.startswith("tests")]
        assert all((ROOT / path.split("::")[0]).exists() for path in paths), f"{block.name}: {paths}"
    else:
        assert program in OTHER_PROGRAMS, f"{block.name}: what is {program!r}? Teach this test how to check it"


def check_paths(namespace: object, block: Block) -> None:
    """Every path below configs/ that a command was given exists."""
    for value in vars(namespace).values():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and re.fullmatch(r"configs/[\w/.-]+", text):
                assert (ROOT / text).exists(), f"{block.name}: there is no {text}"


@pytest.mark.parametrize("block", PYTHON, ids=[block.name for block in PYTHON])
def test_the_python_compiles_and_its_imports_resolve(block: Block) -> None:
    tree = ast.parse(block.text, block.name)
    imports = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    if any(needs_paddle(node) for node in imports):
        pytest.importorskip("paddle")
    for node in imports:
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in INSTALLED:
            module = importlib.import_module(str(node.module))
            missing = [alias.name for alias in node.names if not hasattr(module, alias.name) and not is_module(node, alias)]
            assert not missing, f"{block.name}: {node.module} has no {', '.join(missing)}"


def needs_paddle(node: ast.stmt) -> bool:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]  # type: ignore[attr-defined]
    return any(name.startswith(("paddle", "ppdet.modeling", "ppdet.engine", "ppdet.optimizer")) for name in names)


def is_module(node: ast.ImportFrom, alias: ast.alias) -> bool:
    return importlib.util.find_spec(f"{node.module}.{alias.name}") is not None


@pytest.mark.parametrize("page", PAGES, ids=map(name_of, PAGES))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{name_of(page)}: no {target}"
        if anchor:
            assert anchor in anchors(file), f"{name_of(page)}: {file.name} has no heading for #{anchor}"


def anchors(file: Path) -> set[str]:
    """GitHub's anchors of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", title).lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=map(name_of, PAGES))
def test_files_and_modules_that_the_page_mentions_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    gone = [path for path in mentioned_paths(text) if not (ROOT / path).exists()]
    gone = [] if page.name == "from_paddledetection.md" else gone  # it names PaddleDetection's files
    assert not gone, f"{name_of(page)} mentions files that are not there: {gone}"
    for name in set(mentioned_modules(text)):
        parts = name.split(".")
        while parts and not ((ROOT / Path(*parts)).is_dir() or (ROOT / Path(*parts)).with_suffix(".py").is_file()):
            parts.pop()
        rest = name.split(".")[len(parts) :]
        assert len(rest) <= 2, f"{name_of(page)}: there is no {name}"
        if rest:
            source = ROOT / Path(*parts)
            source = source / "__init__.py" if source.is_dir() else source.with_suffix(".py")
            assert rest[0] in source.read_text(encoding="utf-8"), f"{name_of(page)}: {'.'.join(parts)} has no {rest[0]}"
