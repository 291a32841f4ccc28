"""The state of a training run: how far it is, and what else is needed to continue it."""

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Dict, Optional

from ppdet.core.errors import CheckpointError
from ppdet.core.files import atomic_write
from ppdet.engine.weights.restricted_pickle import load_restricted


@dataclass
class TrainingState:
    """Position in the run, and the best result so far, as plain numbers and text.

    Attributes:
        epoch: completed epochs, which is also the index of the current epoch.
        batch: completed batches of the current epoch; above 0 only if the run was interrupted within an epoch.
        step: completed iterations in total.
        metric: name of the figure that selects the best model, empty before the first evaluation.
        best: its best value, None before the first evaluation.
        best_epoch: number of completed epochs when it was reached.
        evaluations_since_best: for early stopping.
        average_updates: number of updates of the weight average.
        skipped: iterations that were skipped because of their loss.
        skipped_in_a_row: those at the end.
        scaler: state of the loss scaling.
        budget: what a time budget has decided so far (`ppdet.engine.training.time_budget`); empty without one.
        stop: reason to end before the last epoch; empty while the run continues.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    metric: str = ""
    best: Optional[float] = None
    best_epoch: int = 0
    evaluations_since_best: int = 0
    average_updates: int = 0
    skipped: int = 0
    skipped_in_a_row: int = 0
    scaler: Dict[str, Any] = field(default_factory=dict)
    budget: Dict[str, float] = field(default_factory=dict)
    stop: str = ""

    @property
    def interrupted(self) -> bool:
        """Whether the run was interrupted and can be continued."""
        return "interrupted" in self.stop

    def save(self, path: Path) -> None:
        """Write a `.pdstates` file; its `metric` and `epoch` have PaddleDetection's meaning."""
        content = asdict(self)
        content.update(epoch=self.epoch - 1, metric=self.best if self.best is not None else 0.0, metric_name=self.metric, stop="")
        with atomic_write(path, "wb") as file:
            pickle.dump({"format": 1, **content, "best_value": self.best}, file, protocol=4)

    @classmethod
    def load(cls, path: Path) -> TrainingState:
        """Read a `.pdstates` file.

        Raises:
            CheckpointError: the file is missing, damaged, or PaddleDetection's, which lacks information that a resumed run needs.
        """
        content = _read_states(path)
        if not isinstance(content, dict) or content.get("format") != 1:
            raise CheckpointError(
                f"{path} was not written by this project, so the run cannot be continued from it; "
                "to start a new run from its weights use -o pretrain_weights=<file>.pdparams"
            )
        held: Dict[str, Any] = {name: content.get(key, _LATER_KEYS.get(key)) for name, key in _FILE_KEYS.items()}
        for name, types in _TYPES.items():
            value = held[name]
            whole = isinstance(value, int) and not isinstance(value, bool) and (value >= 0 or name == "epoch")
            if not isinstance(value, types) or types is int and not whole:
                raise CheckpointError(
                    f"{path} is damaged: its {_FILE_KEYS[name]} is {str(value)[:40]!r}; resume an earlier checkpoint of the run"
                )
        held["epoch"] += 1
        return cls(**held)


_TYPES: Dict[str, Any] = {
    "epoch": int,
    "batch": int,
    "step": int,
    "metric": str,
    "best": (float, int, type(None)),
    "best_epoch": int,
    "evaluations_since_best": int,
    "average_updates": int,
    "skipped": int,
    "skipped_in_a_row": int,
    "scaler": dict,
    "budget": dict,
    "stop": str,
}
_LATER_KEYS: Dict[str, Any] = {"skipped": 0, "skipped_in_a_row": 0, "budget": {}}  # files of earlier versions do not have them
_FILE_KEYS = {name: {"metric": "metric_name", "best": "best_value"}.get(name, name) for name in _TYPES}


FROM_WEIGHTS_ALONE = "To start a new run from weights alone use -o pretrain_weights=<file>.pdparams"


def _read_states(path: Path) -> Any:
    try:
        with open(path, "rb") as file:
            return load_restricted(file)
    except FileNotFoundError:
        raise CheckpointError(
            f"{path} does not exist; resuming needs the .pdstates file beside the weights. {FROM_WEIGHTS_ALONE}"
        ) from None
    except Exception as error:  # damaged pickles raise nearly anything
        raise CheckpointError(
            f"{path} cannot be read as a training state ({type(error).__name__}: {error}); nothing of it was executed. Resume an "
            "earlier checkpoint of the run"
        ) from error
