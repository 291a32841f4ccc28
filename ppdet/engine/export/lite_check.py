"""Runs the `.nb` file for x86 with the Python package of Paddle Lite, in the Python that has it, and compares it."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any, Mapping

import numpy as np

from ppdet.core.errors import ModelDirError, PpdetError
from ppdet.engine.export.parity import EngineResult, Reference
from ppdet.engine.export.targets.lite import FOLDER, find_converter
from ppdet.inference.model_card import ModelCard
from ppdet.inference.runtimes.base import Runtime

FILE = f"{FOLDER}/model_x86.nb"
# Runs in Python 3.7 to 3.9: feeds are numbered in_0, in_1, ...; outputs likewise.
_SCRIPT = """
import sys
import numpy as np
from paddlelite.lite import MobileConfig, create_paddle_predictor
config = MobileConfig()
config.set_model_from_file(sys.argv[1])
predictor = create_paddle_predictor(config)
feeds = np.load(sys.argv[2])
for number in range(len(feeds.files)):
    predictor.get_input(number).from_numpy(feeds["in_%d" % number])
predictor.run()
outputs = {"out_%d" % number: predictor.get_output(number).numpy() for number in range(int(sys.argv[4]))}
np.savez(sys.argv[3], **outputs)
"""


class LiteRuntime(Runtime):
    """Paddle Lite on x86, one process per run: for the comparison only.

    Args:
        python: a Python with the package paddlelite.
        model: the `.nb` file.
        input_names: of the network, in order.
        outputs: their number.
    """

    engine = "paddle_lite"

    def __init__(self, python: Path, model: Path, input_names: list[str], outputs: int) -> None:
        self._python, self._model, self._outputs = python, model, outputs
        self.input_names = input_names
        self.description = f"Paddle Lite, fp32, x86, {model.name}"

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the model in the other Python."""
        with tempfile.TemporaryDirectory() as folder:
            given, found = Path(folder) / "in.npz", Path(folder) / "out.npz"
            arrays: dict[str, Any] = {f"in_{row}": np.ascontiguousarray(feeds[name]) for row, name in enumerate(self.input_names)}
            np.savez(given, **arrays)
            command = [str(self._python), "-c", _SCRIPT, str(self._model), str(given), str(found), str(self._outputs)]
            done = subprocess.run(command, capture_output=True, text=True, errors="replace")
            if done.returncode != 0 or not found.is_file():
                said = " ".join((done.stdout + done.stderr).split())[-400:]
                raise ModelDirError(f"Paddle Lite fails on {self._model.name} (exit {done.returncode}): {said}")
            with np.load(found) as outputs:
                return [outputs[f"out_{row}"] for row in range(self._outputs)]


def check_lite(folder: Path, reference: Reference, lite_opt: str) -> list[EngineResult]:
    """A row for the report if the export has a `.nb` file for x86; "absent" if there is no Python with Paddle Lite.

    Args:
        folder: of the export.
        reference: the framework's predictions.
        lite_opt: the value of --lite_opt.
    """
    if not (folder / FILE).is_file():
        return []
    program = Path(find_converter(lite_opt))
    python = next((each for each in (program.with_name("python"), program.with_name("python3")) if _has_lite(each)), None)
    if python is None:
        note = f"no Python with the package paddlelite beside {program}, so the file was not run"
        return [EngineResult("paddle_lite", "absent", file=FILE, note=note)]
    names = [spec.name for spec in reference.form.input_spec]
    if reference.form.without_suppression is not None:  # boxes come in network pixels
        names = [name for name in names if name != "scale_factor"]
    runtime = LiteRuntime(python, folder / FILE, names, len(reference.form.output_names))
    try:
        return [reference.compare(runtime, "fp32", FILE, ModelCard.load(folder))]
    except Exception as error:
        kind = "" if isinstance(error, PpdetError) else f"{type(error).__name__}: "
        return [EngineResult("paddle_lite", "failed", file=FILE, note=kind + " ".join(str(error).split()))]


def _has_lite(python: Path) -> bool:
    if not python.is_file():
        return False
    command = [str(python), "-c", "import paddlelite.lite"]
    return subprocess.run(command, capture_output=True).returncode == 0
