"""Golden cases of PaddleDetection's own models: weights by rule, inputs and outputs from files."""

from __future__ import annotations

import json
import zlib
from typing import Dict, List

import numpy as np

from support.shared_data import shared

RELATIVE_ERROR = 1e-4


def golden_arrays(name: str) -> Dict[str, np.ndarray]:
    with np.load(shared("golden", f"{name}.npz")) as arrays:
        return {key: arrays[key] for key in arrays.files}


def golden_keys(name: str) -> Dict[str, List[int]]:
    return json.loads(shared("golden", f"{name}.keys.json").read_text())


def reference_keys(name: str) -> Dict[str, List[int]]:
    lines = shared("reference", "keys", "paddledet", f"{name}.txt").read_text().splitlines()
    return {key: json.loads(shape) for key, shape, _ in (line.split("\t") for line in lines)}


def model_keys(model) -> Dict[str, List[int]]:
    return {key: list(value.shape) for key, value in model.state_dict().items()}


def fill_by_rule(model) -> None:
    """Set every entry by the rule of the golden cases' README."""
    for key, value in model.state_dict().items():
        value.set_value(rule_value(key, list(value.shape)))
    model.eval()


def rule_value(key: str, shape: List[int]) -> np.ndarray:
    rng = np.random.RandomState(zlib.crc32(key.encode()) & 0xFFFFFFFF)
    if key.endswith("_variance"):
        value = rng.uniform(0.8, 1.2, shape)
    elif key.endswith("_mean"):
        value = rng.normal(0, 0.1, shape)
    elif len(shape) <= 1:
        value = rng.uniform(0.3, 0.6, shape) if key.endswith("weight") else rng.normal(0, 0.1, shape)
    else:
        value = rng.normal(0, 1, shape) * np.sqrt(2 / np.prod(shape[1:]))
    return value.astype(np.float32)


def relative_error(given, expected: np.ndarray) -> float:
    """Largest difference as a share of the largest expected magnitude."""
    given = np.asarray(given)
    assert given.shape == expected.shape, (given.shape, expected.shape)
    return float(np.abs(given - expected).max() / np.abs(expected).max())
