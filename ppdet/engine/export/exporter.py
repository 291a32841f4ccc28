"""Exports a model: a Paddle 3 program, optionally ONNX, its card, and a report that compares every engine with the framework."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Sequence

from ppdet.core.config.load import Config
from ppdet.core.errors import ExportError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.engine.assembly import Assembly
from ppdet.engine.components import import_components
from ppdet.engine.configs.check import require_sound
from ppdet.engine.device import choose_device
from ppdet.engine.export.half_weights import round_to_float16
from ppdet.engine.export.lite_check import check_lite
from ppdet.engine.export.parity import EngineResult, ParityReport, Reference, check_parity
from ppdet.engine.export.parity_samples import parity_samples
from ppdet.engine.export.quantization.quantizer import Quantizer
from ppdet.engine.export.targets.job import ExportJob
from ppdet.engine.export.targets.table import chosen_targets
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
        onnx: the same as `targets` paddle and onnx.
        for_fd: FastDeploy's layout: `inference.*` and `inference.yml` directly in `output_dir`.
        half_weights: round the model's weights to float16 first, in place, and store those of model.onnx in 16 bits.
        targets: names of `targets.TARGETS`; None for paddle, and onnx with `onnx`.
        precisions: "fp32", "fp16", "bf16", "int8": a file of each for the targets that have it.
        rewrite: rewrite the ONNX graph into an equivalent one that engines run faster.
        lite_opt: path of paddle_lite_opt for the target lite.
        calibration: folder of images for 8 bits; None for those of the config's datasets.

    Raises:
        ExportError: options that exclude each other, an unknown target or precision, or a package that a target needs.
    """

    def __init__(
        self,
        assembly: Assembly,
        model: Any,
        output_dir: str | Path = "output_inference",
        onnx: bool = False,
        for_fd: bool = False,
        half_weights: bool = False,
        *,
        targets: Sequence[str] | None = None,
        precisions: Sequence[str] = ("fp32",),
        rewrite: bool = True,
        lite_opt: str = "",
        calibration: str | Path | None = None,
    ) -> None:
        names = list(targets or ["paddle"]) + ["onnx"] * onnx
        if half_weights and "onnx" not in names:
            raise ExportError("--half_weights is for model.onnx: give --onnx as well")
        self.assembly, self.model, self.half_weights = assembly, model, half_weights
        self.targets, self.precisions = chosen_targets(names, precisions), list(precisions)
        self.rewrite, self.lite_opt, self.calibration = rewrite, lite_opt, calibration
        self.output_dir, self.for_fd = Path(output_dir), for_fd
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
            samples, origin = parity_samples(self.assembly, SAMPLES)
            reference = Reference(form, samples, origin)
            rows = self._write(temporary, form, reference)
            report = check_parity(temporary, form, samples, origin, precisions=self.precisions, reference=reference)
            report.model = self.assembly.config.name
            report.engines += rows + check_lite(temporary, reference, self.lite_opt)
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

    def _write(self, folder: Path, form: DeployedForm, reference: Reference) -> list[EngineResult]:
        """Write all files; returns the rows of the report that are measured on the way: what 8 bits cost."""
        with tempfile.TemporaryDirectory(prefix="ppdet_export_") as work:
            quantizer = Quantizer(self.assembly, reference, self.calibration)
            job = ExportJob(
                form, folder, Path(work), self._stem, self.rewrite, self.half_weights, quantizer.quantize, self.lite_opt
            )
            for target, _ in self.targets:
                target.require(job)
            for target, precisions in self.targets:
                for precision in precisions:
                    target.write(job, precision)
            form.card.write(folder, self._card_name)
            for sub in (each for each in ("legacy",) if (folder / each).is_dir()):
                form.card.write(folder / sub, "infer_cfg.yml")
        return quantizer.results

    def _refuse(self, temporary: Path, report: ParityReport) -> None:
        kept = self.target.with_name(f"{self.target.name}.failed")
        shutil.rmtree(kept, ignore_errors=True)
        os.replace(temporary, kept)
        reasons = "\n".join(f"  {result.engine}: {_reason(result)}" for result in report.failed)
        raise ExportError(
            f"the exported model differs from the framework:\n{reasons}\n  It was kept for inspection in {kept} "
            f"(export_report.md); {self.target} was not touched."
        )

    def _publish(self, temporary: Path) -> None:
        if self.for_fd:  # the target also holds other files: replace file by file
            self.target.mkdir(parents=True, exist_ok=True)
            for file in sorted(temporary.iterdir()):
                if file.is_dir():
                    shutil.rmtree(self.target / file.name, ignore_errors=True)
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
    **options: Any,
) -> Path:
    """Export the `weights` of a config, as `tools/export_model.py` does.

    Args:
        config, output_dir, onnx, for_fd, half_weights: see `Exporter`.
        **options: further arguments of `Exporter`.

    Returns:
        The exported folder.

    Raises:
        PpdetError: config and weights do not fit together, or see `Exporter.run`.
    """
    choose_device(config)
    require_sound(config, import_components(config))  # logs the warnings, which Assembly does not
    assembly = Assembly(config)
    exporter = Exporter(assembly, load_model(assembly), output_dir, onnx, for_fd, half_weights, **options)
    exporter.run()
    return exporter.target


def _reason(result: EngineResult) -> str:
    if result.status == "failed":
        return result.note
    output = "" if result.max_output is None else f", outputs {result.max_output:.1e}"
    return f"{result.max_px:.3f} px, scores {result.max_score:.1e}{output}, {result.unmatched} boxes without a partner"


def _write_report(folder: Path, report: ParityReport) -> None:
    with atomic_write(folder / "export_report.md") as file:
        file.write(report.to_markdown())
    with atomic_write(folder / "export_report.json") as file:
        json.dump(report.to_dict(), file, indent=2)
