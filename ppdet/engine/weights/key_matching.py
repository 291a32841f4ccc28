"""Matches the tensors of a file with the parameters of a model, by PaddleDetection's longest-suffix rule."""

from __future__ import annotations

from typing import Dict, Iterable, Mapping, Optional

from ppdet.core.errors import CheckpointError

_BORROWED_STAGE = "backbone.res5"


def match_keys(model_keys: Iterable[str], file_keys: Iterable[str]) -> Dict[str, str]:
    """Find the file's key for each key of the model.

    A file key fits a model key that is equal to it or ends with ``"." + file key``; the longest one wins. So ImageNet weights
    without ``backbone.`` load into any model with a backbone. Keys ``backbone.res5...`` also fit elsewhere, for detectors with
    the last stage of a ResNet in their head. The time is linear in the number of keys.

    Returns:
        model key -> file key, without those that have no match.

    Raises:
        CheckpointError: one file key fits two model keys.
    """
    stripped = {_stripped(key): key for key in file_keys}
    matches: Dict[str, str] = {}
    taken: Dict[str, str] = {}
    for key in model_keys:
        found = _longest_suffix(key, stripped)
        if found is None:
            continue
        if found in taken:
            raise CheckpointError(
                f"the file's {found!r} fits both {taken[found]!r} and {key!r} of the model; rename it in the file so that "
                "it ends only one of them"
            )
        taken[found] = key
        matches[key] = found
    return matches


def _stripped(key: str) -> str:
    return key[len("backbone.") :] if key.startswith(_BORROWED_STAGE) else key


def _longest_suffix(key: str, stripped: Mapping[str, str]) -> Optional[str]:
    """Try the key, then the part after its first dot, after its second, ..."""
    start = 0
    while True:
        if key[start:] in stripped:
            return stripped[key[start:]]
        dot = key.find(".", start)
        if dot < 0:
            return None
        start = dot + 1
