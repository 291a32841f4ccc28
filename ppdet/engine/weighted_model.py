"""The model of a config with its weights, for evaluation, prediction and export."""

from __future__ import annotations

from typing import Any

from ppdet.core.errors import ConfigError
from ppdet.engine.checkpoint import load_pretrained


def model_with_weights(assembly: Any) -> Any:
    """Build the config's model and load its `weights`, every tensor of them.

    Raises:
        ConfigError: the config names no weights.
        CheckpointError: the file is missing, broken, or does not fit the model.
    """
    weights = assembly.config.get("weights")
    if not weights:
        raise ConfigError(
            f"{assembly.config.path} names no weights: add -o weights=FILE.pdparams (a file, or a URL of PaddleDetection's)."
        )
    model = assembly.model()
    load_pretrained(model, str(weights), strict=True)
    model.eval()
    return model
