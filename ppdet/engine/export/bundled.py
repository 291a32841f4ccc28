"""Writes a model into the package, where `PosePipeline()` and names such as "tinypose" find it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np

from ppdet.core.config.load import Config
from ppdet.core.logger import get_logger
from ppdet.core.shipped import bundled_models_folder
from ppdet.engine.assembly import Assembly
from ppdet.engine.device import choose_device
from ppdet.engine.export.exporter import Exporter
from ppdet.engine.export.half_weights import is_halved
from ppdet.engine.weights.checkpoint import save_pdparams
from ppdet.engine.weights.load import load_model

logger = get_logger(__name__)

#: files of an export to bundle. Paddle Inference's program is left out: it would double the size, and one command makes it.
FILES = ("infer_cfg.yml", "model.onnx", "export_report.md")


def bundle_model(config: Config, name: str) -> Path:
    """Export the `weights` of a config into the folder of bundled models, in 16 bits.

    The folder gets the card, model.onnx, the export report, and `{name}.pdparams` with the same rounded weights for
    fine-tuning. An existing `model_card.md` stays.

    Args:
        config: config of the model, with `weights`.
        name: name of the folder, by which the model is found.

    Returns:
        The folder.

    Raises:
        PpdetError: as `export`.
    """
    choose_device(config)
    assembly = Assembly(config)
    model = load_model(assembly)
    target = bundled_models_folder() / name
    with tempfile.TemporaryDirectory() as temporary:
        exporter = Exporter(assembly, model, temporary, onnx=True, half_weights=True)
        exporter.run()
        target.mkdir(parents=True, exist_ok=True)
        for file in FILES:
            shutil.copyfile(exporter.target / file, target / file)
    halves = {key: _half(tensor.numpy()) for key, tensor in model.state_dict().items()}
    save_pdparams(halves, target / f"{name}.pdparams")
    logger.info("%s written, %.1f MB", target, sum(file.stat().st_size for file in target.iterdir()) / 1e6)
    return target


def _half(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float16) if is_halved(values) else values
