"""Run by `paddle.distributed.launch` in tests/engine/training/test_distributed.py: train a small network, write what happened."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[n]) for n in (1, 2)]

import numpy as np  # noqa: E402

from ppdet.engine import distributed  # noqa: E402
from ppdet.engine.device import choose_device  # noqa: E402
from ppdet.engine.training.callbacks import Callback  # noqa: E402
from ppdet.engine.training.checkpointer import Checkpointer  # noqa: E402
from ppdet.engine.training.files import load_checkpoint, newest_checkpoint  # noqa: E402
from ppdet.engine.training.state import TrainingState  # noqa: E402
from ppdet.engine.training.trainer import Trainer  # noqa: E402
from support.train_parts import SmallReader, small_step  # noqa: E402


class Losses(Callback):
    """Keeps the loss of every iteration."""

    def __init__(self) -> None:
        self.values: list = []

    def after_step(self, run, losses, times) -> None:
        self.values.append(losses["loss"])


class FailsOnRankOne(SmallReader):
    """On the second process, a Ctrl-C takes the data workers away in the second batch."""

    def __iter__(self):
        for number, batch in enumerate(super().__iter__()):
            if number == 1 and distributed.rank() == 1:
                os.kill(os.getpid(), signal.SIGINT)
                raise RuntimeError("a data worker was interrupted")
            yield batch


class DiesOnRankOne(SmallReader):
    """The second process is killed in the second epoch, as if it had run out of memory."""

    def __iter__(self):
        for number, batch in enumerate(super().__iter__()):
            if number == 1 and self.epoch == 1 and distributed.rank() == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            yield batch


def main(kind: str, folder: str) -> None:
    """Train and write `<folder>/rank<n>.json`, with checkpoints in `<folder>/run`."""
    choose_device({"use_gpu": False})
    distributed.start()
    processes = distributed.world_size()
    # Not Adam: it blows the rounding noise in the gradient of a bias before a batch norm, exactly 0, up to full steps.
    options = {"norm": kind not in ("no_norm", "reader_fails"), "sync_bn": kind == "sync_bn", "optimizer": {"type": "Momentum"}}
    accumulate = 2 if kind == "accumulate" else 1
    if kind == "accumulate":
        options["norm"] = False
    losses = Losses()
    step = small_step(per_epoch=2, seed=3 + distributed.rank(), **options)  # DataParallel must share rank 0's weights
    reader = FailsOnRankOne(64, 4) if kind == "reader_fails" else SmallReader(16, 8 // processes)
    if kind == "rank_dies":
        reader = DiesOnRankOne(16, 4)
    state, run = TrainingState(), Path(folder, "run")
    if kind == "resumes":
        state = load_checkpoint(str(newest_checkpoint(run)), step)
    with distributed.notice_lost_processes():
        state = Trainer(step, reader, 3, [losses, Checkpointer(run)], state, accumulate).train()
    shares = distributed.gather([int(i) for i in distributed.share(11, distributed.rank(), processes)])
    result = {
        "losses": losses.values,
        "weights": {name: np.asarray(value.numpy(), float).tolist() for name, value in step.model.state_dict().items()},
        "shares": shares,
        "total": distributed.total(np.array([distributed.rank() + 1.0])).tolist(),
        "steps": state.step,
        "stop": state.stop,
    }
    Path(folder, f"rank{distributed.rank()}.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
