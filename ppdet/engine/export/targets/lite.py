"""The target lite: Paddle Lite's `.nb` files, by its converter paddle_lite_opt."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ppdet.core.errors import ExportError
from ppdet.engine.export.targets.base import Target
from ppdet.engine.export.targets.job import ExportJob
from ppdet.engine.export.targets.legacy import FOLDER as LEGACY_FOLDER
from ppdet.engine.export.targets.legacy import LegacyTarget

FOLDER = "lite"
PROGRAM = "paddle_lite_opt"
#: processor -> precisions that Paddle Lite computes in there
PROCESSORS = {"arm": ("fp32", "fp16"), "x86": ("fp32",)}
ADVICE = (
    f"{PROGRAM} is part of Paddle Lite, which has packages for Python 3.7 to 3.9 only: `python3.9 -m venv lite39 && "
    "lite39/bin/pip install paddlelite`, then give --lite_opt lite39/bin/paddle_lite_opt (docs/export.md)"
)
LINES_SHOWN = 8


class LiteTarget(Target):
    """`lite/model_arm.nb` and `lite/model_x86.nb`; "fp16" adds `lite/model_arm.fp16.nb`, for phones that compute in 16 bits."""

    name = "lite"
    order = 2
    files = "lite/model_arm.nb, lite/model_x86.nb"
    packages = LegacyTarget.packages
    install = LegacyTarget.install
    precisions = ("fp32", "fp16")

    def require(self, job: ExportJob) -> None:
        """Also find the converter."""
        super().require(job)
        find_converter(job.lite_opt)

    def write(self, job: ExportJob, precision: str) -> None:
        """Convert the Paddle 2 program for each processor."""
        legacy = job.folder / LEGACY_FOLDER
        if not (legacy / "model.pdmodel").is_file():  # lite alone was asked for
            legacy = job.work / LEGACY_FOLDER
            if not legacy.is_dir():
                LegacyTarget().write(_in_work(job), "fp32")
        (job.folder / FOLDER).mkdir(exist_ok=True)
        for processor, precisions in PROCESSORS.items():
            if precision in precisions:
                name = f"model_{processor}" if precision == "fp32" else f"model_{processor}.{precision}"
                convert(find_converter(job.lite_opt), legacy, job.folder / FOLDER / name, processor, precision)


def _in_work(job: ExportJob) -> ExportJob:
    """A job with the same graphs whose folder is the work folder."""
    from copy import copy

    other = copy(job)
    other.folder = job.work
    return other


def find_converter(given: str) -> str:
    """Path of paddle_lite_opt.

    Args:
        given: the value of --lite_opt; empty to search the PATH.

    Raises:
        ExportError: there is none; the message says how to get it.
    """
    if given:
        if not Path(given).is_file():
            raise ExportError(f"--lite_opt {given}: there is no such file. {ADVICE}")
        return given
    found = shutil.which(PROGRAM)
    if found is None:
        raise ExportError(f"the target lite needs {PROGRAM}, which is not on the PATH. {ADVICE}")
    return found


def convert(program: str, legacy: Path, target: Path, processor: str, precision: str) -> Path:
    """Run paddle_lite_opt; returns {target}.nb.

    Raises:
        ExportError: it failed; its last lines are in the message.
    """
    command = [
        program, f"--model_file={legacy / 'model.pdmodel'}", f"--param_file={legacy / 'model.pdiparams'}",
        f"--optimize_out={target}", "--optimize_out_type=naive_buffer", f"--valid_targets={processor}",
    ]  # fmt: skip
    if precision == "fp16":
        command.append("--enable_fp16=true")
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    except OSError as error:
        raise ExportError(f"{program} does not start: {error.strerror}. {ADVICE}") from error
    written = target.with_name(target.name + ".nb")
    if done.returncode != 0 or not written.is_file():
        said = "\n  ".join((done.stdout + done.stderr).strip().splitlines()[-LINES_SHOWN:])
        raise ExportError(f"{PROGRAM} could not convert the network for {processor} (exit {done.returncode}). It said:\n  {said}")
    return written
