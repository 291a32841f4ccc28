"""A batch: which inputs are left, who works on them, what is written about it."""
from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

from ppdet.core.errors import ConfigError
from ppdet.core.files import remove_temporaries
from ppdet.core.logger import get_logger
from ppdet.inference.batch_runs.inputs import BatchInput, BatchInputs
from ppdet.inference.batch_runs.job import BatchJob
from ppdet.inference.batch_runs.journal import JOURNAL_NAME, Journal
from ppdet.inference.batch_runs.processes import LocalWorkers
from ppdet.inference.batch_runs.ray_actors import RayWorkers
from ppdet.inference.batch_runs.report import MANIFEST_NAME, BatchReport
from ppdet.inference.files.output_folder import OutputFolder
from ppdet.inference.formats.table import format_named, require
from ppdet.inference.formats.whole_output import CannotWriteError
from ppdet.inference.progress import Progress

LOCAL, RAY = "local", "ray"
ENGINES = (LOCAL, RAY)
LOCK_NAME = ".lock"
SECONDS_BETWEEN_MANIFESTS = 30.0
MOST_FAILURES_LOGGED = 20


@dataclass(frozen=True)
class BatchOptions:
    """How a batch is run; none of it changes a result.

    Attributes:
        engine: "local" for processes of this machine, "ray" for actors of Ray Data.
        workers: number of processes or actors.
        address: of a Ray cluster; None starts one on this machine.
        attempts: so many workers may die on an input before it counts as failed.
        stall_seconds: a local worker that finishes no frame for so long is stopped.
        redo: replace results of other settings.
        retry_failed: try inputs again that failed in an earlier run.
    """

    engine: str = LOCAL
    workers: int = 1
    address: str | None = None
    attempts: int = 2
    stall_seconds: float = 600.0
    redo: bool = False
    retry_failed: bool = False

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise ConfigError(f"engine is {self.engine!r}: give one of {', '.join(ENGINES)}")
        if self.workers < 1 or self.attempts < 1:
            raise ConfigError(f"workers is {self.workers} and attempts {self.attempts}: give 1 or more")
        if not self.stall_seconds > 0:
            raise ConfigError(f"stall_seconds is {self.stall_seconds}: give a positive number of seconds")
        if self.address is not None and self.engine != RAY:
            raise ConfigError(f"address {self.address} is of a Ray cluster: choose the engine ray, or leave it out")


def run_batch(inputs: BatchInputs, output: Union[str, Path], job: BatchJob, options: BatchOptions) -> BatchReport:
    """Work on all inputs that have no result yet.

    Args:
        inputs: see `find_inputs`.
        output: folder of the results, the journal (journal.jsonl) and the manifest (manifest.json).
        job: what to do.
        options: how to run it.

    Raises:
        ConfigError: another run works in the folder, it has results of other settings, or a package is missing.
        CannotWriteError: the disk is full; the same call goes on later.
        PpdetError: the model cannot be opened, or no worker can be started.
    """
    require(format_named(job.format_name))
    folder = OutputFolder(output).path
    about: dict[str, Any] = {"engine": options.engine, "workers": options.workers, "fingerprint": job.fingerprint,
                             "settings": job.settings}  # fmt: skip
    _refuse_reserved_names(inputs.files, folder, job)
    with _locked(folder), Journal(folder, job) as journal:
        _refuse_other_settings(journal, inputs.files, folder, options.redo)
        remove_temporaries(folder)  # of a run that was killed
        report = BatchReport(len(inputs.files), skipped=inputs.skipped)
        left = _left(journal, inputs.files, report, options.retry_failed)
        _log_start(report, left, inputs)
        try:
            if left:
                _work(left, folder, job, options, journal, report, about)
        except CannotWriteError as error:
            raise error.in_context(f"{report.done} of {report.inputs} inputs have results; run the same command again, it goes "
                                   "on where it stopped") from error
        finally:
            report.write(folder, about)
    get_logger(__name__).info("%s; wrote %s", report.text(), folder / MANIFEST_NAME)
    return report


def _work(
    left: Sequence[BatchInput], folder: Path, job: BatchJob, options: BatchOptions, journal: Journal, report: BatchReport,
    about: dict[str, Any],
) -> None:
    workers: LocalWorkers | RayWorkers
    if options.engine == RAY:
        workers = RayWorkers(job, folder, options.workers, options.attempts, options.address)
    else:
        workers = LocalWorkers(job, folder, options.workers, options.attempts, options.stall_seconds)
    progress, written, failures = Progress("batch", len(left), "file"), time.monotonic(), 0
    try:
        for item, outcome in workers.run(left):
            journal.add(item, outcome)
            report.now.append(outcome)
            report.workers_lost = workers.lost
            if outcome.status == "failed":
                failures += 1
                _log_failure(failures, outcome.reason, item)
            progress.step()
            if time.monotonic() - written > SECONDS_BETWEEN_MANIFESTS:
                report.write(folder, about)
                written = time.monotonic()
    finally:
        workers.stop()
        progress.close()
        report.workers_lost = workers.lost


def _left(journal: Journal, files: Sequence[BatchInput], report: BatchReport, retry_failed: bool) -> list[BatchInput]:
    """Inputs that have to be done; the others go into the report."""
    left = []
    for item in files:
        before = journal.outcome_of(item)
        if before is None or (before.status == "failed" and retry_failed):
            left.append(item)
        else:
            report.before.append(before)
    return left


def _refuse_other_settings(journal: Journal, files: list[BatchInput], folder: Path, redo: bool) -> None:
    others = journal.others(files)
    if others and not redo:
        fingerprint, count = max(others.items(), key=lambda each: each[1])
        what = journal.difference(fingerprint)
        raise ConfigError(f"{folder} has {count} results of these inputs with other settings ({what}): give another --output, or "
                          "--redo to replace them")


def _refuse_reserved_names(files: Sequence[BatchInput], folder: Path, job: BatchJob) -> None:
    taken = {folder / name for name in (JOURNAL_NAME, MANIFEST_NAME)}
    for item in files:
        result = job.result_path(folder, item)
        if result in taken:
            raise ConfigError(f"the result of {item.source} would be called like the batch's own {result.name}: rename it, "
                              "or choose another format")


def _log_start(report: BatchReport, left: Sequence[BatchInput], inputs: BatchInputs) -> None:
    log = get_logger(__name__)
    skipped = sum(inputs.skipped.values())
    if skipped:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in inputs.skipped.most_common(3))
        log.info("%d other files are skipped (%s)", skipped, kinds)
    failed = len(report.failed)
    if report.before:
        log.info("%d of %d inputs were done before%s; %d are left", len(report.before), report.inputs,
                 f", {failed} of them failed (--retry_failed tries them again)" if failed else "", len(left))
    else:
        log.info("%d inputs", report.inputs)


def _log_failure(failures: int, reason: str, item: BatchInput) -> None:
    if failures <= MOST_FAILURES_LOGGED:
        get_logger(__name__).error("%s failed: %s", item.source, reason)
    if failures == MOST_FAILURES_LOGGED:
        get_logger(__name__).error("further failures are in the manifest only")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other runs out of the folder. The lock ends with the process, however that ends."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with open(folder / LOCK_NAME, "w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"another run works in {folder}: wait for it, or give another --output") from None
        except OSError as error:  # a file system without locks
            get_logger(__name__).warning("%s cannot be locked (%s): start no second run there", folder, error.strerror)
        yield
