"""The target paddle: a Paddle 3 program."""

from __future__ import annotations

import shutil

from ppdet.engine.export.targets.base import Target
from ppdet.engine.export.targets.job import ExportJob


class PaddleTarget(Target):
    """For Paddle Inference 3."""

    name = "paddle"
    files = "model.json, model.pdiparams"
    suppression = True

    def write(self, job: ExportJob, precision: str) -> None:
        """Copy the saved program."""
        for file in job.program():
            shutil.copyfile(file, job.folder / file.name)
