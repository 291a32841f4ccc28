"""Loads the model of a config with its weights, for evaluation, prediction and export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ppdet.core.config.load import Config
from ppdet.core.errors import ConfigError
from ppdet.engine.assembly import Assembly
from ppdet.engine.weights.checkpoint import SUFFIX, load_pretrained


def run_path(config: Config) -> Path:
    """Folder of the training runs of a config: `{save_dir}/{name of the config}`."""
    return Path(str(config.get("save_dir") or "output")) / config.name


def trained_weights(config: Config) -> Path:
    """Path of the best model from training with `--eval`, without suffix."""
    return run_path(config) / "best_model"


def load_model(assembly: Assembly) -> Any:
    """Build the config's model and load its `weights`; every tensor must be in the file.

    The default of `weights` is the best model of a training with this config: `{save_dir}/{name of the config}/best_model`.

    Raises:
        ConfigError: the config names no weights, and there is no training result.
        CheckpointError: the file is missing, damaged, or does not fit the model.
    """
    config = assembly.config
    weights = config.get("weights") or trained_weights(config)
    if not config.get("weights") and not weights.with_name(weights.name + SUFFIX).is_file():
        raise ConfigError(
            f"{config.path} names no weights, and training it has not left any in {weights}{SUFFIX}: add "
            "-o weights=FILE.pdparams (a file, or a URL of PaddleDetection's)."
        )
    model = assembly.model()
    load_pretrained(model, str(weights), strict=True)
    model.eval()
    return model
