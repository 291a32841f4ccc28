"""An exported folder in the place of a network, so that evaluation can measure what an engine and its precision really give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import paddle

from ppdet.core.errors import ConfigError
from ppdet.inference.estimators.detector import BoxDetector
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes import load_runtime


class ExportedModel:
    """Answers like an architecture, computes with an engine.

    Args:
        model_dir: exported folder.
        engine: "auto" or one of `runtime_names()`.
        precision: "fp32" or "bf16".
        cpu_threads: of the engine.

    Raises:
        ModelDirError: the folder is not an exported model, or the engine cannot run it.
        ConfigError: the graph normalises pixels itself (``fuse_normalize``), which the reader does already.
    """

    training = False

    def __init__(
        self, model_dir: str | Path, engine: str = "auto", precision: str = "fp32", cpu_threads: int = 2
    ) -> None:
        self.card = ModelCard.load(model_dir)
        self.runtime = load_runtime(model_dir, engine=engine, precision=precision, cpu_threads=cpu_threads)
        # A bottom-up model's pictures and a detector's are prepared by its card, those of a top-down model by the reader.
        if self.card.is_top_down and self.card.operation("NormalizeImage") is None:
            raise ConfigError(f"{model_dir} normalises pixels inside the graph (fuse_normalize); export without it to evaluate")

    def eval(self) -> None:
        """Nothing to do: an exported graph is in evaluation mode."""

    def __call__(self, images: Any) -> dict[str, Any]:
        """(B, 3, H, W) normalised crops to ``{"heatmap": (B, K, h, w)}``."""
        (name,) = self.runtime.input_names
        return {"heatmap": paddle.to_tensor(self.runtime.run({name: images.numpy()})[0])}

    def box_detector(self) -> BoxDetector:
        """The detector of the folder, with its own preprocessing and suppression."""
        return BoxDetector(self.runtime, self.card)
