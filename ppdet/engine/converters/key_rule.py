"""One line of a table from other toolkits' names to ours.

``{i}`` stands for a number; ``{i+1}`` on our side for the number plus one. A rule names a layer; what follows its last dot
(``weight``, ``running_mean``, ...) has the same fate everywhere. ``*`` stands for any rest of the name.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Callable, List, Optional

import numpy as np

LEAVES = {
    "weight": "weight",
    "bias": "bias",
    "running_mean": "_mean",
    "running_var": "_variance",
}
Transform = Callable[[np.ndarray], np.ndarray]
_PLACE = re.compile(r"\{(\w+)(?:\+(\d+))?\}|\*")


class KeyRule:
    """Renames the tensors of layers.

    Args:
        source: their layer, such as "layer1.{i}.conv{c}".
        target: ours, such as "backbone.la1.block_layer2_{i+1}.conv{c}.conv".
        weight, bias: change of the numbers, such as `transposed`.
        whole: the names are those of tensors, not of layers; `weight` is the change of such a tensor.
    """

    def __init__(
        self, source: str, target: str, weight: Optional[Transform] = None, bias: Optional[Transform] = None, whole: bool = False
    ) -> None:
        self.source, self.target, self.whole = source, target, whole
        self._changes = {"weight": weight, "bias": bias}
        self._pattern = name_pattern(source)

    def rename(self, key: str) -> Optional[str]:
        """Our name of a tensor; None if the rule is not about it."""
        layer, _, leaf = (key, "", "") if self.whole else key.rpartition(".")
        found = self._pattern.fullmatch(layer)
        if found is None or (leaf not in LEAVES and not self.whole):
            return None
        numbers = found.groupdict()

        def place(match: re.Match[str]) -> str:
            if match.group(0) == "*":
                return numbers["rest"]
            return str(int(numbers[match.group(1)]) + int(match.group(2) or 0))

        renamed = _PLACE.sub(place, self.target)
        return renamed if self.whole else f"{renamed}.{LEAVES[leaf]}"

    def change(self, key: str) -> Optional[Transform]:
        """How the numbers of a tensor that it renames change; None for not at all."""
        return self._changes.get("weight" if self.whole else key.rpartition(".")[2])


@lru_cache(None)
def name_pattern(source: str) -> re.Pattern[str]:
    """The names which a rule's left side stands for."""
    parts: List[str] = []
    end = 0
    for match in _PLACE.finditer(source):
        parts.append(re.escape(source[end : match.start()]))
        parts.append("(?P<rest>.+)" if match.group(0) == "*" else rf"(?P<{match.group(1)}>\d+)")
        end = match.end()
    return re.compile("".join(parts) + re.escape(source[end:]))


def conv_norm(conv: str, norm: str, target: str) -> List[KeyRule]:
    """A convolution and its batch norm become one layer of ours, with ``conv`` and ``norm`` in it."""
    return [KeyRule(conv, f"{target}.conv"), KeyRule(norm, f"{target}.norm")]


def transposed(weight: np.ndarray) -> np.ndarray:
    """(out, in) of a PyTorch Linear -> (in, out) of Paddle's."""
    return np.ascontiguousarray(weight.T)


def pointwise(weight: np.ndarray) -> np.ndarray:
    """(out, in) of a Linear -> (out, in, 1, 1) of a 1x1 convolution."""
    return weight.reshape(*weight.shape[:2], 1, 1)


def with_token_row(embedding: np.ndarray) -> np.ndarray:
    """(1, patches, C) -> (1, 1 + patches, C): a row of zeros where others have the class token's."""
    return np.concatenate([np.zeros_like(embedding[:, :1]), embedding], axis=1)


def flattened(weight: np.ndarray) -> np.ndarray:
    """A LayerNorm over several axes has one axis of parameters in Paddle."""
    return weight.reshape(-1)


def one_more(values: np.ndarray) -> np.ndarray:
    """x -> x + 1."""
    return values + np.asarray(1, values.dtype)
