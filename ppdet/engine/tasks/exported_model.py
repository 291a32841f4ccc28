"""An exported folder in place of a network, to evaluate what an engine and its precision really predict."""

from __future__ import annotations

from pathlib import Path

from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes.registry import load_runtime


class ExportedModel:
    """The card of an exported model, and its graph loaded in an engine.

    Args:
        model_dir: exported folder.
        engine: "auto" or one of `runtime_names()`.
        precision: "fp32" or "bf16".
        cpu_threads: of the engine.

    Attributes:
        flip: whether an evaluation whose config does not say uses the flip test, as in networks of top-down models.

    Raises:
        ModelDirError: the folder is not an exported model, or the engine cannot run it.
    """

    training = False
    flip = True

    def __init__(
        self, model_dir: str | Path, engine: str = "auto", precision: str = "fp32", cpu_threads: int = 2
    ) -> None:
        self.card = ModelCard.load(model_dir)
        self.runtime = load_runtime(model_dir, engine=engine, precision=precision, cpu_threads=cpu_threads)

    def eval(self) -> None:
        """Does nothing: an exported graph is always in evaluation mode."""
