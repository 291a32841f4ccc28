"""Finds the network files of an exported model's directory."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ppdet.core.errors import ModelDirError

# File stems of exporters: ours and PaddleDetection's, its --for_fd, and early versions of Paddle.
STEMS = ("model", "inference", "__model__")


@dataclass(frozen=True)
class ModelFiles:
    """The network files of a directory; None for missing ones. The fields are the formats of `Runtime.reads`.

    Attributes:
        onnx: ONNX network, with its weights inside.
        pir: Paddle 3 program (`.json`).
        legacy: Paddle 2 program (`.pdmodel` or `__model__`).
        params: Paddle weights (`.pdiparams` or `__params__`) of the program.
    """

    folder: Path
    onnx: Path | None
    pir: Path | None
    legacy: Path | None
    params: Path | None

    @property
    def paddle_program(self) -> Path | None:
        """The program for Paddle Inference; the newer format is preferred."""
        return self.pir or self.legacy

    def how_to_make_onnx(self) -> str:
        """The command that converts the directory's Paddle program to ONNX, for an error message."""
        if self.paddle_program is None or self.params is None:
            return "export the model again with tools/export_model.py"
        return (f"export again with tools/export_model.py --onnx, or convert: paddle2onnx --model_dir {self.folder} "
                f"--model_filename {self.paddle_program.name} "
                f"--params_filename {self.params.name} --save_file {self.folder / 'model.onnx'}")


def find_model_files(model_dir: str | Path) -> ModelFiles:
    """Find the network files of an exported directory.

    Args:
        model_dir: the directory, or an ONNX file of any name.

    Raises:
        ModelDirError: there is no directory, no network in it, or a program without its weights.
    """
    folder = Path(model_dir)
    if folder.is_file() and folder.suffix.lower() == ".onnx":
        return ModelFiles(folder.parent, folder, None, None, None)
    if not folder.is_dir():
        raise ModelDirError(f"{folder} is not a directory: give the directory that tools/export_model.py wrote")
    onnx = _first(folder, [f"{stem}.onnx" for stem in STEMS[:2]])
    pir = _first(folder, [f"{stem}.json" for stem in STEMS[:2]])
    legacy = _first(folder, [f"{stem}.pdmodel" for stem in STEMS[:2]] + ["__model__"])
    if onnx is None and pir is None and legacy is None:
        raise ModelDirError(f"{folder} holds no network: expected model.onnx, or model.json or model.pdmodel with "
                            "model.pdiparams; export the model again with tools/export_model.py")
    params = None
    program = pir or legacy
    if program is not None:
        params = _weights_of(program)
        if params is None and onnx is None:
            raise ModelDirError(f"{program} has no weights beside it (expected {program.stem}.pdiparams): the copy is "
                                "incomplete; copy the whole directory again")
    return ModelFiles(folder, onnx, pir if params else None, legacy if params else None, params)


def _weights_of(program: Path) -> Path | None:
    name = "__params__" if program.name == "__model__" else f"{program.stem}.pdiparams"
    return _first(program.parent, [name])


def _first(folder: Path, names: list[str]) -> Path | None:
    for name in names:
        path = folder / name
        if path.is_file():
            if path.stat().st_size == 0:
                raise ModelDirError(f"{path} is empty: the copy is incomplete; copy the directory or export again")
            return path
    return None
