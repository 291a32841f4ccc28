"""Exports a model: a Paddle 3 program, optionally ONNX, its card, and a report that compares every engine with the framework."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import paddle

from ppdet.core.config.load import Config
from ppdet.core.errors import ExportError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.engine.assembly import Assembly
from ppdet.engine.components import import_components
from ppdet.engine.configs.check import require_sound
from ppdet.engine.device import choose_device
from ppdet.engine.export.half_weights import round_to_float16, store_weights_as_float16
from ppdet.engine.export.onnx_conversion import convert_to_onnx, converter_version
from ppdet.engine.export.parity import EngineResult, ParityReport, check_parity
from ppdet.engine.export.parity_samples import parity_samples
from ppdet.engine.export.quiet_output import quiet_output
from ppdet.engine.tasks.deployed_form import DeployedForm
from ppdet.engine.weights.load import load_model

logger = get_logger(__name__)

SAMPLES = 8


class Exporter:
    """Writes `{output_dir}/{config name}/` after checking it.

    Everything is written to a temporary folder beside the target, which replaces the target only when all files exist and every
    engine agrees. Until then an earlier export stays.

    Args:
        assembly: the config's parts.
        model: the model with its weights.
        output_dir: parent of the exported folder; it is made if necessary.
        onnx: also write model.onnx.
        for_fd: FastDeploy's layout: `inference.*` and `inference.yml` directly in `output_dir`.
        half_weights: round the model's weights to float16 first, in place, and store those of model.onnx in 16 bits.
    """

    def __init__(
        self,
        assembly: Assembly,
        model: Any,
        output_dir: str | Path = "output_inference",
        onnx: bool = False,
        for_fd: bool = False,
        half_weights: bool = False,
    ) -> None:
        if half_weights and not onnx:
            raise ExportError("--half_weights is for model.onnx: give --onnx as well")
        self.assembly, self.model, self.half_weights = assembly, model, half_weights
        self.output_dir, self.onnx, self.for_fd = Path(output_dir), onnx, for_fd
        self.target = self.output_dir if for_fd else self.output_dir / assembly.config.name
        self._stem, self._card_name = ("inference", "inference.yml") if for_fd else ("model", "infer_cfg.yml")

    def run(self) -> ParityReport:
        """Export and check.

        Returns:
            The report, which is also in the folder as export_report.md and export_report.json.

        Raises:
            ExportError: the architecture cannot be exported, a conversion failed, the folder cannot be written, or an engine
                differs from the framework; in the last case the export is kept in `{target}.failed` for inspection.
        """
        if self.half_weights:
            round_to_float16(self.model)
        form = self.assembly.task.deployed_form(self.assembly, self.model)
        temporary = self.target.with_name(f".{self.target.name}.{os.getpid()}.tmp")
        try:
            temporary.mkdir(parents=True)
        except OSError as error:
            raise ExportError(f"cannot write to {self.output_dir}: {error.strerror}. Choose another --output_dir.") from error
        try:
            self._write(temporary, form)
            samples, origin = parity_samples(self.assembly, SAMPLES)
            report = check_parity(temporary, form, samples, origin)
            report.model = self.assembly.config.name
            _write_report(temporary, report)
            if report.failed:
                self._refuse(temporary, report)
            self._publish(temporary)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        for warning in report.warnings:
            logger.warning("%s: %s", self.target, warning)
        logger.info("%s exported to %s\n%s", self.assembly.config.name, self.target, report.to_markdown())
        return report

    def _write(self, folder: Path, form: DeployedForm) -> None:
        program, params = save_program(form.layer, form.input_spec, folder, self._stem)
        if self.onnx:
            self._write_onnx(folder, form, program, params)
            if self.half_weights:
                store_weights_as_float16(folder / f"{self._stem}.onnx")
            form.card.versions["paddle2onnx"] = converter_version()
        form.card.write(folder, self._card_name)

    def _write_onnx(self, folder: Path, form: DeployedForm, program: Path, params: Path) -> None:
        target = folder / f"{self._stem}.onnx"
        if form.onnx is None:
            convert_to_onnx(program, params, target, form.output_names)
            return
        logger.info("%s", form.onnx.reason)
        with tempfile.TemporaryDirectory() as own:
            saved = save_program(form.onnx.layer, form.onnx.input_spec, Path(own), self._stem)
            convert_to_onnx(*saved, target, form.onnx.output_names)

    def _refuse(self, temporary: Path, report: ParityReport) -> None:
        kept = self.target.with_name(f"{self.target.name}.failed")
        shutil.rmtree(kept, ignore_errors=True)
        os.replace(temporary, kept)
        reasons = "\n".join(f"  {result.engine}: {_reason(result)}" for result in report.failed)
        raise ExportError(
            f"the exported model does not do what the framework does:\n{reasons}\n  It was kept for inspection in {kept} "
            f"(export_report.md); {self.target} was not touched."
        )

    def _publish(self, temporary: Path) -> None:
        if self.for_fd:  # the target also holds other files: replace file by file
            self.target.mkdir(parents=True, exist_ok=True)
            for file in sorted(temporary.iterdir()):
                os.replace(file, self.target / file.name)
            return
        old = self.target.with_name(f".{self.target.name}.{os.getpid()}.old")
        if self.target.exists():
            os.replace(self.target, old)
        os.replace(temporary, self.target)
        shutil.rmtree(old, ignore_errors=True)


def export(
    config: Config,
    output_dir: str | Path = "output_inference",
    onnx: bool = False,
    for_fd: bool = False,
    half_weights: bool = False,
) -> Path:
    """Export the `weights` of a config, as `tools/export_model.py` does.

    Returns:
        The exported folder.

    Raises:
        PpdetError: config and weights do not fit together, or see `Exporter.run`.
    """
    choose_device(config)
    require_sound(config, import_components(config))  # logs the warnings, which Assembly does not
    assembly = Assembly(config)
    exporter = Exporter(assembly, load_model(assembly), output_dir, onnx, for_fd, half_weights)
    exporter.run()
    return exporter.target


def _reason(result: EngineResult) -> str:
    if result.status == "failed":
        return result.note
    output = "" if result.max_output is None else f", outputs {result.max_output:.1e}"
    return f"{result.max_px:.3f} px, scores {result.max_score:.1e}{output}, {result.unmatched} boxes without a partner"


def save_program(layer: Any, input_spec: list[Any], folder: Path, stem: str) -> tuple[Path, Path]:
    """Write the Paddle program {stem}.json and its weights {stem}.pdiparams into an existing folder; returns both paths.

    Raises:
        ExportError: Paddle wrote other files.
    """
    with quiet_output("paddle.jit.save"):
        paddle.jit.save(layer, str(folder / stem), input_spec=input_spec)
    program, params = folder / f"{stem}.json", folder / f"{stem}.pdiparams"
    if not program.is_file() or not params.is_file():
        raise ExportError(
            f"paddle.jit.save of Paddle {paddle.__version__} wrote {sorted(p.name for p in folder.iterdir())}, expected "
            f"{program.name} and {params.name}. Unset FLAGS_enable_pir_api, or use Paddle 3."
        )
    return program, params


def _write_report(folder: Path, report: ParityReport) -> None:
    with atomic_write(folder / "export_report.md") as file:
        file.write(report.to_markdown())
    with atomic_write(folder / "export_report.json") as file:
        json.dump(report.to_dict(), file, indent=2)
