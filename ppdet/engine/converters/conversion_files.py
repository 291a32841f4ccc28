"""Files written with converted weights: the preprocessing they expect, and a report on every tensor."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Tuple

import yaml

from ppdet.core.files import atomic_write, sha256_of
from ppdet.engine.converters.conversion import Conversion
from ppdet.engine.weights.checkpoint import SUFFIX, save_pdparams
from ppdet.engine.weights.torch_file import TorchFile


def write_conversion(conversion: Conversion, file: TorchFile, output: Path) -> Tuple[Path, Path, Path]:
    """Write weights, feed note and report, each atomically; the weights last.

    Args:
        output: path of the weights; the suffix ``.pdparams`` is added if missing.

    Returns:
        paths of weights, note (``.feed.yml``) and report (``.report.txt``).
    """
    output = output if output.suffix == SUFFIX else output.with_name(output.name + SUFFIX)
    note, report = output.with_suffix(".feed.yml"), output.with_suffix(".report.txt")
    with atomic_write(note) as stream:
        stream.write(_HEADER)
        yaml.safe_dump(feed_note(conversion, file), stream, sort_keys=False, default_flow_style=None, width=120)
    with atomic_write(report) as stream:
        stream.write(report_text(conversion, file))
    save_pdparams(conversion.weights, output)
    return output, note, report


_HEADER = "# Preprocessing and decoding that these weights were trained with; `feed` and `codec` go into a config.\n"


def feed_note(conversion: Conversion, file: TorchFile) -> Dict[str, Any]:
    """The feed note as plain data."""
    feed = conversion.feed
    note: Dict[str, Any] = {
        "converted_from": {
            "file": file.path.name,
            "sha256": sha256_of(file.path),
            "state_dict": conversion.state.where or "(top)",
            "layout": conversion.layout.name,
        },
        "network": conversion.network.name,
        "home": f"{conversion.home} ({feed.repository})",
        "feed": {"NormalizeImage": feed.normalize()},
        "input_wh_published": [list(size) for size in feed.input_wh],
        "remark": feed.remark,
    }
    if conversion.swapped:
        note["feed"]["turned"] = "trained with BGR; the first convolution, mean and std were turned to RGB, outputs are equal"
    if feed.codec:
        note["codec"] = {"name": "HeatmapCodec", **feed.codec}
    note["configs"] = list(conversion.network.configs) or "this toolkit has none for it yet"
    return note


def summary_text(conversion: Conversion, file: TorchFile) -> str:
    """A few lines for the terminal."""
    state, renaming = conversion.state, conversion.renaming
    where = f" under {state.where!r}" if state.where else ""
    prefix = f", {state.prefix!r} before each name" if state.prefix else ""
    lines = [
        f"{file.path}: {conversion.network.name} (layout {conversion.layout.name})",
        f"  {len(state.tensors)} tensors{where}{prefix}: {len(renaming.targets)} converted, "
        f"{len(renaming.dropped)} not needed, 0 unknown",
        f"  home {conversion.home}: {conversion.feed.repository}; feed {conversion.feed.color_order.upper()}, "
        f"mean {list(conversion.feed.mean)}, std {list(conversion.feed.std)}",
    ]
    if conversion.swapped:
        lines.append("  trained with BGR: the first convolution, mean and std were turned to RGB")
    if state.beside:
        lines.append(f"  also in the file, not converted: {', '.join(state.beside)}")
    return "\n".join(lines + [f"  {remark}" for remark in conversion.remarks])


def report_text(conversion: Conversion, file: TorchFile) -> str:
    """The summary, then one line per tensor."""
    state, renaming = conversion.state, conversion.renaming
    lines: List[str] = [summary_text(conversion, file), "", "converted"]
    for key, target in renaming.targets.items():
        change = f"  ({renaming.changes[key].__name__})" if key in renaming.changes else ""
        lines.append(f"  {key} {list(state.tensors[key].shape)} -> {target} {list(conversion.weights[target].shape)}{change}")
    lines += ["", "not needed", *(f"  {key}: {why}" for key, why in renaming.dropped.items())]
    return "\n".join(lines) + "\n"
