"""Small files, no drawers called utils, documented public functions, light imports."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = sorted(p for folder in ("ppdet", "tools", "deploy") for p in (ROOT / folder).rglob("*.py"))
COMMANDS = sorted([*(ROOT / "tools").glob("*.py"), *(ROOT / "deploy" / "python").glob("*.py")])
HEAVY = ("paddle", "cv2", "numpy", "onnxruntime", "openvino", "pycocotools")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_over_400_lines() -> None:
    long = {_name(p): n for p in CODE if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400}
    assert not long, f"split these by what they are about: {long}"


def test_no_drawers() -> None:
    drawers = [_name(p) for p in CODE if {"utils", "misc", "common", "helpers"} & {p.stem, *p.parts}]
    assert not drawers, f"name these after what they do: {drawers}"


def test_public_functions_and_classes_have_docstrings() -> None:
    bare = []
    for path in CODE:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            public = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
            if public and node.name != "main" and not ast.get_docstring(node):
                bare.append(f"{_name(path)}:{node.lineno} {node.name}")
    assert not bare, "say what these do, with shapes, units and errors:\n" + "\n".join(bare)


def test_public_functions_are_typed() -> None:
    untyped = []
    for path in CODE:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                if node.returns is None or any(a.annotation is None for a in arguments):
                    untyped.append(f"{_name(path)}:{node.lineno} {node.name}")
    assert not untyped, "annotate every argument and the result:\n" + "\n".join(untyped)


@pytest.mark.parametrize("command", COMMANDS, ids=_name)
def test_help_imports_nothing_heavy(command: Path) -> None:
    """What makes --help slow is importing; so the imports are checked, not a clock."""
    code = (
        "import runpy, sys\n"
        f"sys.argv = [{str(command)!r}, '--help']\n"
        "try:\n"
        f"    runpy.run_path({str(command)!r}, run_name='__main__')\n"
        "except SystemExit as stop:\n"
        "    assert not stop.code, stop.code\n"
        f"print('HEAVY', sorted(m for m in {HEAVY!r} if m in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout
    assert done.stdout.strip().endswith("HEAVY []"), done.stdout[-300:]


def test_package_import_is_light() -> None:
    code = f"import sys, ppdet; print(sorted(m for m in {HEAVY!r} if m in sys.modules), ppdet.__version__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.startswith("[] "), done.stdout
