"""Parameter groups with their own learning rate and weight decay."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

from ppdet.core.errors import ConfigError

NamedParameter = Tuple[str, Any]
_GROUP_KEYS = ("params", "learning_rate", "weight_decay")


def groups_by_pattern(named: Sequence[NamedParameter], groups: Sequence[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """Group parameters by the name patterns of a config's `param_groups`.

    Args:
        named: (name, parameter) of all trainable parameters.
        groups: mappings with `params` (regular expressions, or plain parts of names), and optionally `learning_rate` (a
            factor on the schedule) and `weight_decay`. A parameter belongs to the first group that matches; the others form the
            last group.

    Raises:
        ConfigError: unknown key, or a pattern that matches no parameter.
    """
    left = list(named)
    result: List[Dict[str, Any]] = []
    for group in groups:
        unknown = sorted(set(group) - set(_GROUP_KEYS))
        if unknown or "params" not in group:
            raise ConfigError(
                f"param_groups: a group has the keys {', '.join(_GROUP_KEYS)} (params is needed), got {sorted(group)}"
            )
        patterns = [group["params"]] if isinstance(group["params"], str) else list(group["params"])
        _check_patterns(patterns, [name for name, _ in named])
        taken = [item for item in left if any(re.search(p, item[0]) for p in patterns)]
        left = [item for item in left if not any(re.search(p, item[0]) for p in patterns)]
        if taken:
            options = {k: v for k, v in group.items() if k != "params"}
            result.append({"params": [p for _, p in taken], **options})
    if left:
        result.append({"params": [p for _, p in left]})
    return result


def groups_by_depth(
    named: Sequence[NamedParameter],
    layer_decay: float,
    num_layers: int,
    weight_decay: float,
    skip_decay_names: Iterable[str] = (),
    filter_bias_and_bn: bool = True,
) -> List[Dict[str, Any]]:
    """Layer-wise learning-rate decay of a vision transformer: rate x layer_decay ** (num_layers + 1 - depth).

    Depth is 0 for the patch and position embeddings, i + 1 for `blocks.i`, num_layers + 1 for the rest (head). Weight
    decay is 0 for names that contain one of `skip_decay_names`, and for biases and norms (one axis) with
    `filter_bias_and_bn`.

    Source: Clark et al., ELECTRA, ICLR 2020; as used for ViTPose, Xu et al., NeurIPS 2022, section 4.1.
    """
    skip = tuple(skip_decay_names)
    buckets: Dict[Tuple[int, bool], List[Any]] = {}
    for name, parameter in named:
        plain = filter_bias_and_bn and (name.endswith(".bias") or len(parameter.shape) <= 1)
        decays = not plain and not any(part in name for part in skip)
        buckets.setdefault((_depth(name, num_layers), decays), []).append(parameter)
    return [
        {
            "params": parameters,
            "learning_rate": layer_decay ** (num_layers + 1 - depth),
            "weight_decay": weight_decay if decays else 0.0,
        }
        for (depth, decays), parameters in sorted(buckets.items(), key=lambda item: item[0])
    ]


def _depth(name: str, num_layers: int) -> int:
    if any(part in name for part in ("patch_embed", "pos_embed", "cls_token")):
        return 0
    block = re.search(r"\bblocks\.(\d+)\.", name)
    return int(block.group(1)) + 1 if block else num_layers + 1


def _check_patterns(patterns: Sequence[str], names: Sequence[str]) -> None:
    for pattern in patterns:
        try:
            found = any(re.search(pattern, name) for name in names)
        except re.error as error:
            raise ConfigError(f"param_groups: {pattern!r} is no regular expression: {error}") from error
        if not found:
            prefixes = sorted({name.split(".")[0] for name in names})
            raise ConfigError(
                f"param_groups: {pattern!r} matches no trainable parameter; names begin with {', '.join(prefixes)}"
            )
