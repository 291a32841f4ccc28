"""The target mnn: Alibaba's engine for phones and small computers."""

from __future__ import annotations

import subprocess
import sys

from ppdet.core.errors import ExportError
from ppdet.engine.export.targets.base import Target
from ppdet.engine.export.targets.job import ExportJob

# The converter prints and may end the process, so it runs in one of its own. `MNN.tools.mnnconvert` is not used: importing it
# runs pip to install a logging package, and reports each conversion to a server. This is the function that it calls.
_SCRIPT = "import sys, MNN, _tools; _tools.mnnconvert(['mnnconvert', *sys.argv[1:]])"
OPTIONS = {"fp32": [], "fp16": ["--fp16"], "int8": ["--weightQuantBits", "8"]}
LINES_SHOWN = 8


class MnnTarget(Target):
    """`model.mnn`. "fp16" and "int8" store the weights in 16 or 8 bits; MNN computes in floating point."""

    name = "mnn"
    files = "model.mnn"
    packages = ("MNN", "paddle2onnx", "onnx")
    install = "pip install MNN 'paddle2onnx==2.1.0' 'onnx<=1.17'"
    precisions = ("fp32", "fp16", "int8")

    def write(self, job: ExportJob, precision: str) -> None:
        """Convert the ONNX graph."""
        from importlib import metadata

        path = job.path(".mnn", precision)
        files = ["-f", "ONNX", "--modelFile", str(job.graph(suppression=self.suppression)), "--MNNModel", str(path)]
        command = [sys.executable, "-c", _SCRIPT, *files, "--bizCode", "ppdet", *OPTIONS[precision]]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0 or not path.is_file():
            said = "\n  ".join((done.stdout + done.stderr).strip().splitlines()[-LINES_SHOWN:])
            raise ExportError(f"MNN could not convert the network (exit {done.returncode}). It said:\n  {said}")
        job.form.card.versions["mnn"] = metadata.version("MNN")
