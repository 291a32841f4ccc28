"""Converts the authors' PyTorch weights to ours, and accounts for every tensor."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from ppdet.core.errors import CheckpointError
from ppdet.engine.converters import hrnet_layouts, lite_hrnet_layouts, residual_layouts, rtmpose_layouts, vit_layouts
from ppdet.engine.converters.config_paths import config_paths
from ppdet.engine.converters.feeds import FEEDS, Feed
from ppdet.engine.converters.layout import Layout, Network, Renaming, Shape, is_mmpose, without_mmpose
from ppdet.engine.converters.state_dict import StateDict, find_state_dict
from ppdet.engine.weights.torch_file import TorchFile

#: the first layout that fits is used
LAYOUTS: Tuple[Layout, ...] = (
    *hrnet_layouts.LAYOUTS,
    *lite_hrnet_layouts.LAYOUTS,
    *residual_layouts.LAYOUTS,
    *vit_layouts.LAYOUTS,
    *rtmpose_layouts.LAYOUTS,
)
_LISTED = 8


@dataclass(frozen=True)
class Conversion:
    """Converted weights and their origin.

    Attributes:
        weights: our name -> array; floating-point arrays are float32.
        layout: the naming table that was used.
        network: the network, as identified from the shapes.
        state: the state dict of the file.
        renaming: what happened to each of its keys.
        home: repository that trained the weights, a key of `FEEDS`.
        feed: preprocessing that the converted weights expect.
        swapped: whether the first convolution was changed from BGR to RGB.
        remarks: notes for the user that are not errors.
    """

    weights: Dict[str, np.ndarray]
    layout: Layout
    network: Network
    state: StateDict
    renaming: Renaming
    home: str
    feed: Feed
    swapped: bool
    remarks: List[str] = field(default_factory=list)


def convert(
    file: TorchFile,
    layout: Optional[str] = None,
    home: Optional[str] = None,
    state_key: Optional[str] = None,
    to_rgb: bool = False,
) -> Conversion:
    """Rename and read all weights of a file.

    Args:
        file: an open PyTorch file.
        layout: name of one of `LAYOUTS`; by default identified from the keys.
        home: repository that trained the checkpoint, a key of `FEEDS`; by default the layout's.
        state_key: which of several state dicts in the file to use.
        to_rgb: if the first convolution was trained with BGR, reorder it (and mean and std of the feed) to RGB, for programs
            that cannot reorder pixels. Outputs stay the same.

    Raises:
        CheckpointError: no weights, an unknown layout, or a key that the layout does not cover.
    """
    state = find_state_dict(file.content, str(file.path), state_key)
    keys = list(state.tensors)
    table = _layout(layout, keys, str(file.path))
    renaming = table.rename(keys)
    _refuse_unknown(table, renaming, str(file.path))
    shapes = {bare: tensor.shape for bare, tensor in zip(without_mmpose(keys), state.tensors.values())}
    home = home or _home(table, state)
    if home not in FEEDS:
        raise CheckpointError(f"--home {home} is not known; choose one of {', '.join(FEEDS)}")
    network = _described(table, shapes, home, str(file.path))
    network = replace(network, configs=config_paths(network.configs))
    weights = {}
    for key, target in renaming.targets.items():
        array = file.array(state.tensors[key])
        weights[target] = _float32(renaming.changes[key](array) if key in renaming.changes else array)
    feed = FEEDS[home]
    swapped = feed.color_order == "bgr" and to_rgb
    if swapped:
        first = next(value for value in weights.values() if value.ndim == 4 and value.shape[1] == 3)
        first[:] = first[:, ::-1].copy()
        feed = feed.as_rgb()
    return Conversion(weights, table, network, state, renaming, home, feed, swapped, _not_finite(weights))


def check_targets(conversion: Conversion, wanted: Mapping[str, Sequence[int]], model: str) -> Conversion:
    """Compare keys and shapes of the converted weights with a model's.

    Args:
        wanted: the model's key -> shape.
        model: its name, for messages.

    Returns:
        The conversion, with a remark on what was compared.

    Raises:
        CheckpointError: tensors are left over, missing, or of another shape; all of them are listed.
    """
    weights = conversion.weights
    absent = conversion.layout.absent
    surplus = [key for key in weights if key not in wanted and conversion.layout.may_be_left_over(key)]
    left_over = [key for key in weights if key not in wanted and key not in surplus]
    missing = [key for key in wanted if key not in weights and not key.startswith(absent or ("\0",))]
    shapes = [
        f"{key}: {list(weights[key].shape)} in the file, {list(wanted[key])} in the model"
        for key in wanted
        if key in weights and tuple(wanted[key]) != weights[key].shape
    ]
    if left_over or missing or shapes:
        lines = [f"{conversion.network.name} does not fit {model}:"]
        for title, items in (("shapes differ", shapes), ("missing in the file", missing), ("not in the model", left_over)):
            if items:
                lines.append(f"{title} ({len(items)}): {_some(items)}")
        fitting = ", ".join(conversion.network.configs)
        if fitting:
            lines.append(f"configs for this network: {fitting}")
        raise CheckpointError("\n  ".join(lines))
    by_nature = sum(key not in weights for key in wanted)
    text = f"checked against {model}: {len(wanted) - by_nature} of its {len(wanted)} tensors, names and shapes equal"
    if by_nature:
        text += f"; {by_nature} of the head keep their initial values (a backbone alone has none)"
    if surplus:
        text += f"; {len(surplus)} of the file's serve resolutions that this model does not return"
    return replace(conversion, remarks=[*conversion.remarks, text])


def _layout(name: Optional[str], keys: Sequence[str], path: str) -> Layout:
    bare = without_mmpose(keys)
    if name is not None:
        for layout in LAYOUTS:
            if layout.name == name:
                return layout
        raise CheckpointError(f"--layout {name} is not known; choose one of {', '.join(layout.name for layout in LAYOUTS)}")
    for layout in LAYOUTS:
        if layout.fits(bare):
            return layout
    known = ", ".join(layout.name for layout in LAYOUTS)
    raise CheckpointError(
        f"{path} holds {len(keys)} tensors of a network that is not known: {', '.join(keys[:4])}, ... Known are {known}"
    )


def _refuse_unknown(layout: Layout, renaming: Renaming, path: str) -> None:
    if not renaming.targets:
        raise CheckpointError(f"nothing in {path} is named as in {layout.title}: it has {_some(renaming.unknown)}")
    if renaming.unknown:
        raise CheckpointError(
            f"{path} is not (only) {layout.title}: {len(renaming.unknown)} of its tensors are not known to the layout "
            f"{layout.name!r}: {_some(renaming.unknown)}"
        )


def _described(layout: Layout, shapes: Mapping[str, Shape], home: str, path: str) -> Network:
    try:
        return layout.describe(shapes, home)
    except (KeyError, IndexError) as error:
        raise CheckpointError(f"{path} is not a whole {layout.title}: {error.args[0]!r} is missing") from error


def _home(layout: Layout, state: StateDict) -> str:
    """The home of a checkpoint. SimplePose shares its key names with two other repositories, but saves the state dict as
    ``ema``."""
    if state.where == "ema" and layout.name in ("pose_resnet", "hrnet"):
        return "simple_pose"
    return layout.mmpose_home if is_mmpose(list(state.tensors)) else layout.home


def _float32(array: np.ndarray) -> np.ndarray:
    return np.array(array, dtype=np.float32 if array.dtype.kind == "f" else array.dtype, order="C")


def _not_finite(weights: Mapping[str, np.ndarray]) -> List[str]:
    bad = [key for key, value in weights.items() if not np.isfinite(value).all()]
    return [f"not finite numbers in {_some(bad)}: the training diverged, or the file is damaged"] if bad else []


def _some(items: Sequence[str]) -> str:
    more = len(items) - _LISTED
    return "; ".join(items[:_LISTED]) + (f"; and {more} more" if more > 0 else "")
