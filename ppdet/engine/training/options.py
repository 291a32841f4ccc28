"""What the training command adds to a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class TrainingOptions:
    """Options of `tools/train.py`.

    Attributes:
        evaluate: evaluate on the EvalDataset every `snapshot_epoch` epochs and keep the best model.
        resume: checkpoint of a run to continue, or "auto" for the newest in the run's folder.
        amp: mixed precision, on a GPU.
        vdl_log_dir: folder for VisualDL's scalars, None for none.
        command: how the run was started, noted in its folder.
    """

    evaluate: bool = False
    resume: Optional[str] = None
    amp: bool = False
    vdl_log_dir: Optional[str] = None
    command: str = ""
