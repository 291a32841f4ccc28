"""Fits the last layer of weights to other keypoints: rows of keypoints with the same name are kept, the others start anew.

Legend: K keypoints.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Mapping, Optional

import numpy as np

from ppdet.core.errors import PpdetError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.inference.model_card import CARD_NAMES, ModelCard
from ppdet.skeletons import Skeleton, get_skeleton
from ppdet.skeletons.side_names import plain_name

_log = get_logger(__name__)
SKELETON_FILE = "skeleton.yml"
"""File of a run's folder that says which keypoints its weights have."""


def skeleton_of_weights(file: Path) -> Optional[Skeleton]:
    """The keypoints of a weight file, from the run's `skeleton.yml` or the model's card beside it; None if neither is there."""
    from ppdet.core.config.yaml_loader import load_yaml

    for folder in (file.parent, file.parent.parent):
        try:
            if (folder / SKELETON_FILE).is_file():
                return get_skeleton(load_yaml(folder / SKELETON_FILE))
            if any((folder / name).is_file() for name in CARD_NAMES):
                return ModelCard.load(folder).skeleton
        except PpdetError as error:
            _log.warning("the keypoints of %s are unknown: %s", file, error)
    return None


def write_skeleton(folder: Path, skeleton: Skeleton) -> None:
    """Write `skeleton.yml` into the folder of a run."""
    import yaml

    with atomic_write(folder / SKELETON_FILE) as file:
        yaml.safe_dump(skeleton.to_dict(), file, sort_keys=False, allow_unicode=True)


def fit_rows(
    weights: Dict[str, np.ndarray], state: Mapping[str, Any], matches: Mapping[str, str], given: Skeleton, wanted: Skeleton
) -> int:
    """Replace the tensors of `weights` that have a row per keypoint by such with the model's rows. In place.

    A tensor has a row per keypoint if its first axis, and nothing else, differs in the way that the two K do. If both have the
    same keypoints, or the same number without a common name, nothing is done.

    Args:
        weights: name -> array of the file.
        state: name -> tensor of the model, whose values new rows keep.
        matches: model key -> file key.
        given, wanted: keypoints of the file and of the model.

    Returns:
        How many keypoints kept their rows.
    """
    by_name = {plain_name(name): row for row, name in enumerate(given.names)}
    rows = {row: by_name[plain_name(name)] for row, name in enumerate(wanted.names) if plain_name(name) in by_name}
    same = given.num_keypoints == wanted.num_keypoints
    if list(given.names) == list(wanted.names) or same and not rows:
        return 0
    changed = 0
    for key, file_key in matches.items():
        old, shape = weights[file_key], tuple(state[key].shape)
        if old.shape[:1] != (given.num_keypoints,) or shape[:1] != (wanted.num_keypoints,) or old.shape[1:] != shape[1:]:
            continue
        if same and not _is_last_layer(key):
            continue
        new = np.array(state[key].numpy(), old.dtype)
        new[list(rows)] = old[list(rows.values())]
        weights[file_key] = new
        changed += 1
    if changed:
        _log.info("last layer: %d of %d keypoints take the rows of the same name (%s), the others start anew", len(rows),
                  wanted.num_keypoints, ", ".join(wanted.names[row] for row in list(rows)[:6]) or "none")  # fmt: skip
    return len(rows) if changed else 0


def _is_last_layer(key: str) -> bool:
    return "final" in key
