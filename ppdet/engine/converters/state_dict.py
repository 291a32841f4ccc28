"""Finds the state dict in a checkpoint that holds other things as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ppdet.core.errors import CheckpointError
from ppdet.engine.weights.torch_tensor import TorchTensor

#: keys of the weights in a checkpoint, in order of preference: averaged weights first, since they are what the authors evaluated
WRAPPERS = ("ema", "ema_state_dict", "state_dict", "best_state_dict", "model", "model_state_dict", "net", "params")
#: prefixes that parallel training and wrapper classes add to every key; "1." is HigherHRNet's half precision
PREFIXES = ("module.", "_orig_mod.", "model.", "1.")
_DEPTH = 4


@dataclass(frozen=True)
class StateDict:
    """The state dict of a file.

    Attributes:
        tensors: name, without a prefix that all of them share -> tensor.
        where: its key in the file, such as "state_dict"; "" for the top level.
        prefix: removed from every key, such as "module.".
        beside: other keys at that level: further weights, epoch, optimizer, ...
    """

    tensors: Dict[str, TorchTensor]
    where: str
    prefix: str
    beside: Tuple[str, ...]


def find_state_dict(content: Any, path: str, key: Optional[str] = None) -> StateDict:
    """Find the state dict of a loaded file.

    Args:
        content: as read by `TorchFile`.
        path: the file, for messages.
        key: which of several to use, such as "state_dict"; by default the first of `WRAPPERS` that exists.

    Raises:
        CheckpointError: no weights, or none under that key.
    """
    where: List[str] = []
    beside: List[str] = []
    for _ in range(_DEPTH):
        if not isinstance(content, dict):
            raise CheckpointError(f"{path} holds {_kind(content)}{_at(where)}, not a state dict (name -> tensor)")
        found = _wrapper(content, key if not where else None, path)
        if found is None:
            break
        beside += [str(name) for name in content if name != found]
        where.append(found)
        content = content[found]
    tensors = _tensors(content, path, where)
    prefix = ""
    while True:
        shared = next((p for p in PREFIXES if all(name.startswith(prefix + p) for name in tensors)), None)
        if shared is None:
            break
        prefix += shared
    stripped = {name[len(prefix) :]: tensor for name, tensor in tensors.items()}
    return StateDict(stripped, ".".join(where), prefix, tuple(beside))


def _wrapper(content: Mapping[Any, Any], key: Optional[str], path: str) -> Optional[str]:
    inside = [name for name, value in content.items() if isinstance(name, str) and isinstance(value, dict) and value]
    if key is not None:
        if key not in inside:
            raise CheckpointError(f"{path} has no {key!r}; it has {', '.join(map(str, inside)) or 'no dicts'}")
        return key
    return next((name for name in WRAPPERS if name in inside), None)


def _tensors(content: Mapping[Any, Any], path: str, where: List[str]) -> Dict[str, TorchTensor]:
    tensors = {str(name): value for name, value in content.items() if isinstance(value, TorchTensor)}
    if not tensors:
        names = ", ".join(str(name) for name in list(content)[:6]) or "nothing"
        raise CheckpointError(
            f"{path} holds no weights{_at(where)}: there is {names}. If they lie under one of these, say --state-dict NAME"
        )
    others = [name for name, value in content.items() if not isinstance(value, TorchTensor)]
    if others:
        raise CheckpointError(
            f"{path}: {others[0]!r}{_at(where)} is {_kind(content[others[0]])} among tensors; this is not a state dict"
        )
    return tensors


def _at(where: List[str]) -> str:
    return f" under {'.'.join(where)!r}" if where else ""


def _kind(value: Any) -> str:
    return "a single tensor" if isinstance(value, TorchTensor) else f"a {type(value).__name__.lstrip('_').lower()}"
