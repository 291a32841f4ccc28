"""Converts a PyTorch file to our weights, with a note on preprocessing and a report on its tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Optional, Sequence

from ppdet.core.config.load import load_config
from ppdet.core.errors import CheckpointError
from ppdet.engine.assembly import Assembly
from ppdet.engine.converters.conversion import check_targets, convert
from ppdet.engine.converters.conversion_files import summary_text, write_conversion
from ppdet.engine.converters.feed_check import feed_differences
from ppdet.engine.weights.checkpoint import SUFFIX
from ppdet.engine.weights.torch_file import TorchFile


def convert_file(
    path: str,
    output: Optional[str] = None,
    config: Optional[str] = None,
    overrides: Sequence[str] = (),
    layout: Optional[str] = None,
    home: Optional[str] = None,
    state_key: Optional[str] = None,
    to_rgb: bool = False,
) -> Path:
    """Convert a PyTorch file and print a summary; if anything does not fit, nothing is written.

    Args:
        path: the PyTorch file.
        output: file to write; by default beside the PyTorch file, with the suffix ``.pdparams``.
        config: a config whose model the weights must fit.
        overrides: options "key=value" for that config.
        layout, home, state_key, to_rgb: see `convert`.

    Returns:
        path of the weights.

    Raises:
        CheckpointError, ConfigError: see `TorchFile`, `convert` and `check_targets`.
    """
    file = TorchFile(path)
    target = Path(output) if output else _beside(file.path)
    if target.exists() and target.samefile(file.path):
        raise CheckpointError(f"{target} would overwrite the file itself; give another name with -o")
    conversion = convert(file, layout, home, state_key, to_rgb)
    if config is None:
        fitting = conversion.network.configs
        hint = f", for example -c {fitting[0]}" if fitting else ""
        conversion.remarks.append(f"not checked against a model; -c CONFIG does{hint}")
    else:
        assembly = Assembly(load_config(config, overrides))
        shapes = {key: tuple(value.shape) for key, value in assembly.model().state_dict().items()}
        conversion = check_targets(conversion, shapes, config)
        conversion.remarks.extend(feed_differences(assembly.config, assembly.codec, conversion.feed))
    written = write_conversion(conversion, file, target)
    print(summary_text(conversion, file))
    print("wrote " + ", ".join(str(item) for item in written))
    return written[0]


def _beside(path: Path) -> Path:
    """name.pth.tar -> name.pdparams."""
    name = path.name
    for suffix in (".tar", ".pth", ".pt"):
        name = name[: -len(suffix)] if name.endswith(suffix) else name
    return path.with_name(name if name.endswith(SUFFIX) else name + SUFFIX)
