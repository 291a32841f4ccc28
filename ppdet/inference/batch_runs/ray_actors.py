"""The same work by actors of Ray Data, on one machine or a cluster. Needs `ray[data]`.

Every machine must see inputs and results under the same paths (a shared file system) and have ppdet installed.
"""
from __future__ import annotations

import hashlib
import logging
import math
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ppdet.core.errors import ConfigError, PpdetError
from ppdet.core.extras import install_extra
from ppdet.core.files import remove_temporaries
from ppdet.inference.batch_runs.inputs import BatchInput
from ppdet.inference.batch_runs.job import BatchJob, Outcome, WorkerStartError, work_on
from ppdet.inference.formats.whole_output import CannotWriteError
from ppdet.inference.progress import quiet_progress

ITEMS_PER_DATASET = 10_000
"""Each input is a block of its own, so that a dead actor costs one input; Ray plans so many blocks well."""
OBJECT_STORE_BYTES, BLOCK_BYTES = 200_000_000, 1_000_000
"""Paths and counts go through the object store, never frames."""
ATTEMPTS_FOLDER = ".attempts"
CANNOT_WRITE, CANNOT_START = "cannot write", "cannot start"


class RayWorkers:
    """Runs inputs in actors that each hold one pipeline.

    Args:
        job: what to do.
        folder: where results go; seen by all machines under this path.
        workers: number of actors.
        attempts: so many actors may die on an input before it counts as failed.
        address: of a running cluster ("auto" for the one of this machine); None starts one here for this run.
        cpus: processor cores per actor.

    Attributes:
        lost: actors that died on an input. Ray starts others in their place, which begin with that input.

    Raises:
        ConfigError: Ray is not installed, or no cluster answers at the address.
    """

    def __init__(
        self, job: BatchJob, folder: Path, workers: int, attempts: int = 2, address: str | None = None, cpus: float = 1.0
    ) -> None:
        if find_spec("ray") is None:
            raise ConfigError("--engine ray needs Ray, which is not installed: pip install 'ray[data]', or "
                              f"{install_extra('scale')}; --engine local needs nothing")
        self._job, self._folder, self._count, self._attempts = job, folder.resolve(), workers, attempts
        self._cpus = cpus
        shutil.rmtree(self._folder / ATTEMPTS_FOLDER, ignore_errors=True)  # of a run that was killed
        self._start(address)
        self.lost = 0

    def _start(self, address: str | None) -> None:
        import ray

        logging.getLogger("ray.data").setLevel(logging.WARNING)
        quiet: dict[str, Any] = {"logging_level": logging.WARNING, "log_to_driver": False}
        if address is None:
            ray.init(num_cpus=math.ceil(self._count * self._cpus), object_store_memory=OBJECT_STORE_BYTES,
                     include_dashboard=False, runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}},
                     **quiet)  # fmt: skip
            return
        try:
            ray.init(address=address, **quiet)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise ConfigError(f"--address {address}: no Ray cluster answers there ({error}): start one with `ray start --head` "
                              "and give HOST:6379, or leave the flag out") from error

    def run(self, items: Sequence[BatchInput]) -> Iterator[tuple[BatchInput, Outcome]]:
        """Inputs with what became of them, as they are finished.

        Raises:
            CannotWriteError: a result cannot be written.
            WorkerStartError: the model cannot be opened.
        """
        for start in range(0, len(items), ITEMS_PER_DATASET):
            yield from self._dataset(items[start : start + ITEMS_PER_DATASET])

    def _dataset(self, items: Sequence[BatchInput]) -> Iterator[tuple[BatchInput, Outcome]]:
        import ray

        context = ray.data.DataContext.get_current()
        context.max_errored_blocks = -1  # one lost block must not end the run
        context.enable_progress_bars = False
        context.target_max_block_size = BLOCK_BYTES
        left = dict(enumerate(items))
        rows = [{"place": place, "source": item.source, "name": item.name} for place, item in left.items()]
        outcomes = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _Actor, batch_size=1, num_cpus=self._cpus, compute=ray.data.ActorPoolStrategy(size=min(self._count, len(rows))),
            fn_constructor_args=(self._job, str(self._folder), self._attempts, os.getcwd()),
        )  # fmt: skip
        for row in outcomes.iter_rows():
            outcome = Outcome(**{name: row[name] for name in Outcome.__dataclass_fields__})
            if outcome.status == CANNOT_WRITE:
                raise CannotWriteError(outcome.reason)
            if outcome.status == CANNOT_START:
                raise WorkerStartError(outcome.reason)
            self.lost += int(row["deaths"])
            yield left.pop(int(row["place"])), outcome
        for item in left.values():
            yield item, Outcome(item.source, "failed", "Ray gave no result for it; its logs are in /tmp/ray")

    def stop(self) -> None:
        """End the actors, and the cluster if it was started here; unfinished results are removed."""
        import ray

        with suppress(Exception):
            ray.shutdown()
        shutil.rmtree(self._folder / ATTEMPTS_FOLDER, ignore_errors=True)
        remove_temporaries(self._folder)


class _Actor:
    """Holds one pipeline; called with one input at a time.

    Ray restarts dead actors without end, so a file per input in work counts on how many actors it was tried.
    """

    def __init__(self, job: BatchJob, folder: str, attempts: int, current: str) -> None:
        os.chdir(current)  # relative paths of models and inputs mean what they mean to the driver
        self._job, self._folder, self._attempts = job, Path(folder), attempts
        self._problem: Outcome | None = None
        try:
            self._pipeline = job.open_pipeline()
        except PpdetError as error:  # the same in every actor: for the user, not a reason to start others
            self._problem = Outcome("", CANNOT_START, str(error))

    def __call__(self, rows: dict[str, Any]) -> dict[str, list[Any]]:
        item = BatchInput(str(rows["source"][0]), str(rows["name"][0]))
        marker = self._folder / ATTEMPTS_FOLDER / hashlib.sha256(item.name.encode("utf-8", "surrogateescape")).hexdigest()
        deaths = _count(marker)
        if self._problem is not None:
            outcome = self._problem
        elif deaths >= self._attempts:
            reason = f"{deaths} actors died on it; is memory short, or the file made to break decoders?"
            outcome = Outcome(item.source, "failed", reason)
        else:
            outcome = self._work_on(item, marker)
        with suppress(OSError):
            marker.unlink()
        return {"place": [int(rows["place"][0])], "deaths": [deaths], **{name: [value] for name, value in vars(outcome).items()}}

    def _work_on(self, item: BatchInput, marker: Path) -> Outcome:
        with quiet_progress():
            try:
                _add_one(marker)
                return work_on(self._job, self._pipeline, item, self._folder)
            except CannotWriteError as error:
                return Outcome(item.source, CANNOT_WRITE, str(error))


def _count(marker: Path) -> int:
    try:
        return marker.stat().st_size
    except OSError:
        return 0


def _add_one(marker: Path) -> None:
    """Count an attempt.

    Raises:
        CannotWriteError: the folder is full.
    """
    try:
        marker.parent.mkdir(parents=True, exist_ok=True)
        with marker.open("ab") as stream:
            stream.write(b".")
    except OSError as error:
        reason = error.strerror or error
        raise CannotWriteError(f"cannot write {marker}: {reason}; free some space or choose another --output") from error
