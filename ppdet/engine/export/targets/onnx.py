"""The target onnx."""

from __future__ import annotations

import shutil

from ppdet.engine.export.half_weights import store_weights_as_float16
from ppdet.engine.export.onnx_conversion import converter_version
from ppdet.engine.export.targets.base import Target
from ppdet.engine.export.targets.job import ExportJob


class OnnxTarget(Target):
    """For ONNX Runtime and OpenVINO."""

    name = "onnx"
    files = "model.onnx"
    packages = ("paddle2onnx", "onnx")
    install = "pip install 'paddle2onnx==2.1.0' 'onnx<=1.17'"
    precisions = ("fp32", "fp16", "int8")
    suppression = True

    def write(self, job: ExportJob, precision: str) -> None:
        """Copy the graph."""
        path = job.path(".onnx", precision)
        shutil.copyfile(job.graph(precision), path)
        if precision == "fp32" and job.half_weights:
            store_weights_as_float16(path)
        job.form.card.versions["paddle2onnx"] = converter_version()
