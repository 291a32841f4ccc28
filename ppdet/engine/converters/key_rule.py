"""One rule of a table that maps other toolkits' parameter names to ours.

``{i}`` stands for a number, and ``{i+1}`` on our side for that number plus one. A rule names a layer; what follows the last dot
(``weight``, ``running_mean``, ...) is handled the same way for all layers. ``*`` stands for any rest of the name.
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
        source: layer name in the file, such as "layer1.{i}.conv{c}".
        target: our layer name, such as "backbone.la1.block_layer2_{i+1}.conv{c}.conv".
        weight, bias: functions applied to the arrays, such as `transposed`.
        whole: the names are those of tensors instead of layers; `weight` is applied to the tensor.
    """

    def __init__(
        self, source: str, target: str, weight: Optional[Transform] = None, bias: Optional[Transform] = None, whole: bool = False
    ) -> None:
        self.source, self.target, self.whole = source, target, whole
        self._changes = {"weight": weight, "bias": bias}
        self._pattern = name_pattern(source)

    def rename(self, key: str) -> Optional[str]:
        """Our name of a tensor; None if the rule does not apply."""
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
        """The function to apply to a renamed tensor; None to copy it."""
        return self._changes.get("weight" if self.whole else key.rpartition(".")[2])


@lru_cache(None)
def name_pattern(source: str) -> re.Pattern[str]:
    """Regular expression of the names that match a rule's left side."""
    parts: List[str] = []
    end = 0
    for match in _PLACE.finditer(source):
        parts.append(re.escape(source[end : match.start()]))
        parts.append("(?P<rest>.+)" if match.group(0) == "*" else rf"(?P<{match.group(1)}>\d+)")
        end = match.end()
    return re.compile("".join(parts) + re.escape(source[end:]))


def conv_norm(conv: str, norm: str, target: str) -> List[KeyRule]:
    """Rules for a convolution and its batch norm, which form one layer with ``conv`` and ``norm`` here."""
    return [KeyRule(conv, f"{target}.conv"), KeyRule(norm, f"{target}.norm")]


def transposed(weight: np.ndarray) -> np.ndarray:
    """(out, in) of a PyTorch Linear -> (in, out) of Paddle's."""
    return np.ascontiguousarray(weight.T)


def pointwise(weight: np.ndarray) -> np.ndarray:
    """(out, in) of a Linear -> (out, in, 1, 1) of a 1x1 convolution."""
    return weight.reshape(*weight.shape[:2], 1, 1)


def with_token_row(embedding: np.ndarray) -> np.ndarray:
    """(1, patches, C) -> (1, 1 + patches, C): adds a row of zeros for the class token."""
    return np.concatenate([np.zeros_like(embedding[:, :1]), embedding], axis=1)


def flattened(weight: np.ndarray) -> np.ndarray:
    """Flattens the parameters of a LayerNorm over several axes, as Paddle stores them."""
    return weight.reshape(-1)


def one_more(values: np.ndarray) -> np.ndarray:
    """x -> x + 1."""
    return values + np.asarray(1, values.dtype)
