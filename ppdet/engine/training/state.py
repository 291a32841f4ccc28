"""How far a training run is, and everything else that is needed to continue it."""

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Dict, Optional

from ppdet.core.errors import CheckpointError
from ppdet.core.files import atomic_write


@dataclass
class TrainingState:
    """Place in the run, and the best result so far. Only plain numbers and text.

    Attributes:
        epoch: epochs completed, which is also the number of the present epoch (from 0).
        batch: batches of the present epoch that are done; above 0 only in a run interrupted within an epoch.
        step: iterations done in all.
        metric: name of the number that selects the best model, empty before the first evaluation.
        best: its best value, None before the first evaluation.
        best_epoch: epochs completed when it was reached.
        evaluations_since_best: for early stopping.
        average_updates: updates of the running average of weights.
        scaler: state of the loss scaling.
        stop: why the run is to end before its last epoch, empty while it goes on.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    metric: str = ""
    best: Optional[float] = None
    best_epoch: int = 0
    evaluations_since_best: int = 0
    average_updates: int = 0
    scaler: Dict[str, Any] = field(default_factory=dict)
    stop: str = ""

    @property
    def interrupted(self) -> bool:
        """Whether the run was stopped from outside, so that it can be continued."""
        return "interrupted" in self.stop

    def save(self, path: Path) -> None:
        """Write a `.pdstates` file; `metric` and `epoch` inside mean what they mean to PaddleDetection."""
        content = asdict(self)
        content.update(epoch=self.epoch - 1, metric=self.best if self.best is not None else 0.0, metric_name=self.metric, stop="")
        with atomic_write(path, "wb") as file:
            pickle.dump({"format": 1, **content, "best_value": self.best}, file, protocol=4)

    @classmethod
    def load(cls, path: Path) -> TrainingState:
        """Read a `.pdstates` file.

        Raises:
            CheckpointError: it is missing, damaged, or PaddleDetection's, which lacks what a resumed run needs.
        """
        content = _read_plain_pickle(path)
        if not isinstance(content, dict) or content.get("format") != 1:
            raise CheckpointError(
                f"{path} was not written by this project, so the run cannot be continued from it; "
                "to start a new run from its weights use -o pretrain_weights=<file>.pdparams"
            )
        names = set(cls.__dataclass_fields__) & set(content)
        held = {name: content[name] for name in names}
        held.update(epoch=content["epoch"] + 1, metric=content["metric_name"], best=content["best_value"])
        return cls(**held)


class _PlainUnpickler(pickle.Unpickler):
    """Reads numbers, text, lists and dicts; refuses anything that would run code."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it contains {module}.{name}")


def _read_plain_pickle(path: Path) -> Any:
    try:
        with open(path, "rb") as file:
            return _PlainUnpickler(file).load()
    except FileNotFoundError:
        raise CheckpointError(f"{path} does not exist; resuming needs the .pdstates file beside the weights") from None
    except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} cannot be read as a training state: {error}") from error
