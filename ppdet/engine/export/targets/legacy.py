"""The target legacy: a Paddle 2 program, in a folder of its own."""

from __future__ import annotations

from ppdet.core.errors import ExportError
from ppdet.engine.export.legacy.writer import write_program
from ppdet.engine.export.targets.base import Target
from ppdet.engine.export.targets.job import ExportJob
from ppdet.inference.estimators.box_decoding import DEFAULT_NMS

FOLDER = "legacy"


class LegacyTarget(Target):
    """`legacy/model.pdmodel` with `model.pdiparams` and `infer_cfg.yml`: a folder for PaddleDetection's own deployment scripts,
    Paddle Lite, and Paddle Inference 2. Written from the ONNX graph, because Paddle 3.2 writes such programs wrongly."""

    name = "legacy"
    order = 1
    files = "legacy/model.pdmodel, model.pdiparams, infer_cfg.yml"
    packages = ("paddle2onnx", "onnx")
    install = "pip install 'paddle2onnx==2.1.0' 'onnx<=1.17'"

    def write(self, job: ExportJob, precision: str) -> None:
        """Write the program, with PaddleDetection's operator for a detector's suppression."""
        folder = job.folder / FOLDER
        folder.mkdir(exist_ok=True)
        holds_suppression = job.form.without_suppression is not None
        graph = job.graph(suppression=False, channels_moved=False)
        settings = {**DEFAULT_NMS, **(job.form.card.nms or {})} if holds_suppression else None
        if settings is not None and settings.get("name", "MultiClassNMS") != "MultiClassNMS":
            raise ExportError(f"the target legacy writes the suppression MultiClassNMS, not {settings['name']}: set export.nms: "
                              "false, or leave out legacy and lite")
        write_program(graph, folder, "model", settings)
