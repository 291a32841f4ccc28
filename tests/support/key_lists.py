"""Key lists of other toolkits' networks and of PaddleDetection's, name -> shape."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Dict, Tuple

from support.shared_data import shared

Shapes = Dict[str, Tuple[int, ...]]


def upstream(name: str) -> Shapes:
    """Of the authors' PyTorch code."""
    return _listed(shared("reference", "keys", "upstream", f"keys_torch_{name}.txt"))


def paddledet(name: str) -> Shapes:
    """Of PaddleDetection."""
    return _listed(shared("reference", "keys", "paddledet", f"{name}.txt"))


def _listed(path: Path) -> Shapes:
    lines = (line.replace("\t", " ").split("]")[0].split(" ", 1) for line in path.read_text().splitlines())
    return {key: tuple(ast.literal_eval(f"{shape}]")) for key, shape in lines}
