"""The target openvino: OpenVINO's intermediate representation."""

from __future__ import annotations

from ppdet.core.errors import ExportError
from ppdet.engine.export.targets.base import Target
from ppdet.engine.export.targets.job import ExportJob


class OpenVINOTarget(Target):
    """`.xml` (the graph) and `.bin` (the weights), which OpenVINO loads faster than ONNX, and without its ONNX reader."""

    name = "openvino"
    files = "model.xml, model.bin"
    packages = ("openvino", "paddle2onnx", "onnx")
    install = "pip install openvino 'paddle2onnx==2.1.0' 'onnx<=1.17'"
    precisions = ("fp32", "fp16", "int8")
    suppression = True

    def write(self, job: ExportJob, precision: str) -> None:
        """Read the ONNX graph and save it; "fp16" stores the weights in 16 bits."""
        import openvino

        path = job.path(".xml", precision)
        graph = job.graph("fp32" if precision == "fp16" else precision)
        try:
            model = openvino.Core().read_model(str(graph))
            openvino.save_model(model, str(path), compress_to_fp16=precision == "fp16")
        except Exception as error:
            raise ExportError(f"OpenVINO could not convert the network: {' '.join(str(error).split())[:400]}") from error
        job.form.card.versions["openvino"] = openvino.__version__.split("-")[0]
