"""Saves a layer as a Paddle 3 program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import paddle

from ppdet.core.errors import ExportError
from ppdet.engine.export.quiet_output import quiet_output


def save_program(layer: Any, input_spec: list[Any], folder: Path, stem: str) -> tuple[Path, Path]:
    """Write the Paddle program {stem}.json and its weights {stem}.pdiparams into an existing folder; returns both paths.

    Raises:
        ExportError: Paddle wrote other files.
    """
    with quiet_output("paddle.jit.save"):
        paddle.jit.save(layer, str(folder / stem), input_spec=input_spec)
    program, params = folder / f"{stem}.json", folder / f"{stem}.pdiparams"
    if not program.is_file() or not params.is_file():
        raise ExportError(
            f"paddle.jit.save of Paddle {paddle.__version__} wrote {sorted(p.name for p in folder.iterdir())}, expected "
            f"{program.name} and {params.name}. Unset FLAGS_enable_pir_api, or use Paddle 3."
        )
    return program, params
