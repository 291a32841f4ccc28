"""Small changes of Python code that a test should notice: one operator, constant or condition at a time."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any

COMPARISONS: dict[Any, Any] = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
                               ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn,
                               ast.NotIn: ast.In}  # fmt: skip
OPERATORS: dict[Any, Any] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
                             ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd}  # fmt: skip
CALLS = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "floor": "ceil", "ceil": "floor", "any": "all",
         "all": "any", "argmax": "argmin"}  # fmt: skip


def count(source: str) -> int:
    """How many small changes of a module there are."""
    return len(_places(ast.parse(source)))


def mutant(source: str, number: int) -> tuple[int, str, str]:
    """(line, what was changed, the changed source) of one of them."""
    tree = ast.parse(source)
    node = _places(tree)[number]
    before = ast.unparse(node)
    _change(node)
    return node.lineno, f"{before} -> {ast.unparse(node)}", ast.unparse(tree)


def _places(tree: ast.AST) -> list[Any]:
    return [node for node in _code(tree) if _change(copy.copy(node))]


def _code(node: ast.AST) -> Iterator[Any]:
    """Expressions that are run: no docstrings, annotations, or messages of errors."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list") or isinstance(node, ast.Raise):
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
                continue
            if isinstance(each, (ast.Import, ast.ImportFrom)):
                continue
            if isinstance(each, ast.AST):
                if hasattr(each, "lineno"):
                    yield each
                yield from _code(each)


def _change(node: Any) -> bool:
    """Change the node itself, none of its parts, so that a shallow copy can be tried; whether there is a change for it."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
        node.ops = [COMPARISONS[type(node.ops[0])]()]
        return True
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in OPERATORS:
        node.op = OPERATORS[type(node.op)]()
        return True
    if isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        return True
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node.op = ast.UAdd()
        return True
    if isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float)):
        node.value = (not node.value) if isinstance(node.value, bool) else node.value + 1
        return True
    if isinstance(node, ast.Attribute) and node.attr in CALLS:
        node.attr = CALLS[node.attr]
        return True
    if isinstance(node, ast.Name) and node.id in CALLS:
        node.id = CALLS[node.id]
        return True
    return False
