"""What the targets of one export share: the folder, the model's deployed form, and the graphs made from it so far."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Sequence

from ppdet.core.errors import ExportError
from ppdet.core.logger import get_logger
from ppdet.engine.export.half_weights import store_weights_as_float16
from ppdet.engine.export.onnx_conversion import convert_to_onnx
from ppdet.engine.export.paddle_program import save_program
from ppdet.engine.export.rewriting.channel_routes import route_channels
from ppdet.engine.export.rewriting.convolutions import fold_batch_norms
from ppdet.engine.export.rewriting.passes import PASSES, Pass, rewrite_file
from ppdet.engine.tasks.deployed_form import DeployedForm, OnnxForm
from ppdet.inference.runtimes.model_files import precise_name

logger = get_logger(__name__)
#: float ONNX file, and where the 8-bit file goes
Quantize = Callable[[Path, Path], None]


@dataclass
class ExportJob:
    """One export in progress.

    Attributes:
        form: the model as it is deployed.
        folder: where files go that are part of the export.
        work: where other files go.
        stem: of the file names.
        rewrite: use the rewritten ONNX graph.
        half_weights: store the weights of the float32 ONNX file in 16 bits.
        quantize: makes the 8-bit graph.
        lite_opt: path of paddle_lite_opt; empty to search for it.
    """

    form: DeployedForm
    folder: Path
    work: Path
    stem: str = "model"
    rewrite: bool = True
    half_weights: bool = False
    quantize: Quantize | None = None
    lite_opt: str = ""

    def __post_init__(self) -> None:
        self._programs: dict[int, tuple[Path, Path]] = {}
        self._graphs: dict[tuple[str, bool, bool], Path] = {}

    def path(self, suffix: str, precision: str = "fp32") -> Path:
        """Path of a file of the export: model.onnx, model.int8.onnx."""
        return self.folder / precise_name(self.stem, precision, suffix)

    def bare_form(self) -> DeployedForm:
        """The form without the suppression in the graph, whose settings the card then holds."""
        if self.form.without_suppression is None:
            return self.form
        bare = self.form.without_suppression()
        self.form.card.nms = bare.card.nms
        return bare

    def program(self, form: DeployedForm | OnnxForm | None = None) -> tuple[Path, Path]:
        """The Paddle 3 program of a form, and its weights, in the work folder, saved once."""
        form = self.form if form is None else form
        if id(form) not in self._programs:
            folder = self.work / f"program_{len(self._programs)}"
            folder.mkdir(parents=True)
            self._programs[id(form)] = save_program(form.layer, form.input_spec, folder, self.stem)
        return self._programs[id(form)]

    def graph(self, precision: str = "fp32", suppression: bool = True, channels_moved: bool = True) -> Path:
        """An ONNX file of the model in the work folder, made once.

        Args:
            precision: "fp32", "fp16" (weights in 16 bits) or "int8".
            suppression: with a detector's suppression, if its form has it.
            channels_moved: rearrangements of channels may be rewritten as copies (`rewriting.channel_routes`).

        Raises:
            ExportError: a conversion failed, or 8 bits cost too much accuracy.
        """
        suppression = suppression and self.form.without_suppression is not None
        channels_moved = channels_moved and self.rewrite
        key = (precision, suppression, channels_moved)
        if key not in self._graphs:
            path = self.work / f"{precision}_{len(self._graphs)}.onnx"
            self._make(path, *key)
            self._graphs[key] = path
        return self._graphs[key]

    def _make(self, path: Path, precision: str, suppression: bool, channels_moved: bool) -> None:
        if precision == "int8":
            if self.quantize is None:
                raise ExportError("this export has nothing to calibrate 8 bits with")
            self.quantize(self.graph("fp32", suppression, channels_moved), path)
            return
        if precision == "fp16":
            shutil.copyfile(self.graph("fp32", suppression, channels_moved), path)
            store_weights_as_float16(path)
            return
        form = self.form if suppression or self.form.without_suppression is None else self._bare()
        graph = form if form.onnx is None else form.onnx
        if form.onnx is not None:
            logger.info("%s", form.onnx.reason)
        convert_to_onnx(*self.program(graph), path, graph.output_names, rewrite=False)
        if self.rewrite:
            rewrite_file(path, [each for each in PASSES if each not in self._left_out(channels_moved)])

    def _left_out(self, channels_moved: bool) -> Sequence[Pass]:
        """Passes that do not apply. With `half_weights` the model was rounded to 16 bits before: folding a batch norm would give
        weights that 16 bits do not hold. Engines fold it when they load the file."""
        return [route_channels] * (not channels_moved) + [fold_batch_norms] * self.half_weights

    def _bare(self) -> DeployedForm:
        if not hasattr(self, "_bare_form"):
            self._bare_form = self.bare_form()
        return self._bare_form
