"""Finds the network files of an exported model's directory."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ppdet.core.errors import ModelDirError

# File stems of exporters: ours and PaddleDetection's, its --for_fd, and early versions of Paddle.
STEMS = ("model", "inference", "__model__")
# Precisions that an export stores in files of their own: model.int8.onnx.
STORED_PRECISIONS = ("fp16", "int8")
# Networks up to this size gain little from several threads per run.
LIGHT_MEGABYTES = 32.0


def precise_name(stem: str, precision: str, suffix: str) -> str:
    """Name of a network file: model.onnx in float32, otherwise model.{precision}.onnx."""
    return f"{stem}.{precision}{suffix}" if precision in STORED_PRECISIONS else f"{stem}{suffix}"


def stored_precision(path: Path) -> str:
    """The precision that the name of a network file states, otherwise "fp32"."""
    return next((each for each in STORED_PRECISIONS if path.stem.endswith(f".{each}")), "fp32")


@dataclass(frozen=True)
class ModelFiles:
    """The network files of a directory; None for missing ones. The fields are the formats of `Runtime.reads`.

    Attributes:
        onnx: ONNX network, with its weights inside.
        pir: Paddle 3 program (`.json`).
        legacy: Paddle 2 program (`.pdmodel` or `__model__`).
        params: Paddle weights (`.pdiparams` or `__params__`) of the program.
        ir: OpenVINO's intermediate representation (`.xml`, with its `.bin`).
        mnn: MNN's file.
    """

    folder: Path
    onnx: Path | None
    pir: Path | None
    legacy: Path | None
    params: Path | None
    ir: Path | None = None
    mnn: Path | None = None

    @property
    def paddle_program(self) -> Path | None:
        """The program for Paddle Inference; the newer format is preferred."""
        return self.pir or self.legacy

    def how_to_make_onnx(self) -> str:
        """The command that converts the directory's Paddle program to ONNX, for an error message."""
        if self.paddle_program is None or self.params is None:
            return "export the model again with `ppdet export`"
        return (f"export again with `ppdet export --onnx`, or convert: paddle2onnx --model_dir {self.folder} "
                f"--model_filename {self.paddle_program.name} "
                f"--params_filename {self.params.name} --save_file {self.folder / 'model.onnx'}")


def network_megabytes(model: Path) -> float:
    """Size of an ONNX file, or of the largest file of a model's directory: a rough idea of how much a run computes."""
    files = [model] if model.is_file() else [path for path in model.glob("*") if path.is_file()]
    return max((path.stat().st_size for path in files), default=0) / 2**20


def is_light(model: Path) -> bool:
    """Whether a network gains little from several threads per run: TinyPose 5 MB, Lite-HRNet 7, RTMPose-s 21."""
    return network_megabytes(model) <= LIGHT_MEGABYTES


def find_model_files(model_dir: str | Path, precision: str = "fp32") -> ModelFiles:
    """Find the network files of an exported directory.

    Args:
        model_dir: the directory, or an ONNX file of any name.
        precision: "fp16" and "int8" find the files that store it (model.int8.onnx). Other precisions find the plain files; a
            directory that holds no plain file at all gives those that it has.

    Raises:
        ModelDirError: there is no directory, no network in it, or a program or graph without its weights.
    """
    folder = Path(model_dir)
    if folder.is_file() and folder.suffix.lower() == ".onnx":
        return ModelFiles(folder.parent, folder, None, None, None)
    if not folder.is_dir():
        raise ModelDirError(f"{folder} is not a directory: give the folder that `ppdet export` wrote")
    if precision in STORED_PRECISIONS:
        files = _stored(folder, precision)
        if files is None:
            raise ModelDirError(f"{folder} holds no network in {precision} (no {precise_name('model', precision, '.onnx')}): "
                                f"export it with --precision fp32,{precision}, or run it without --precision")
        return files
    pir = _first(folder, [f"{stem}.json" for stem in STEMS[:2]])
    legacy = _first(folder, [f"{stem}.pdmodel" for stem in STEMS[:2]] + ["__model__"])
    graphs = _graphs(folder, "fp32")
    if pir is None and legacy is None and not any(graphs.values()):
        stored = next((files for each in STORED_PRECISIONS if (files := _stored(folder, each)) is not None), None)
        if stored is not None:
            return stored
        raise ModelDirError(f"{folder} holds no network: expected model.onnx, model.xml, model.mnn, or model.json or "
                            "model.pdmodel with model.pdiparams; export the model again with `ppdet export`")
    params = None
    program = pir or legacy
    if program is not None:
        params = _weights_of(program)
        if params is None and not any(graphs.values()):
            raise ModelDirError(f"{program} has no weights beside it (expected {program.stem}.pdiparams): the copy is "
                                "incomplete; copy the whole directory again")
    return ModelFiles(folder, pir=pir if params else None, legacy=legacy if params else None, params=params, **graphs)


def _stored(folder: Path, precision: str) -> ModelFiles | None:
    """The files of a precision that is stored in files of its own, or None."""
    graphs = _graphs(folder, precision)
    return ModelFiles(folder, pir=None, legacy=None, params=None, **graphs) if any(graphs.values()) else None


def _graphs(folder: Path, precision: str) -> dict[str, Path | None]:
    """The files that hold graph and weights in one format each: ONNX, OpenVINO, MNN.

    Raises:
        ModelDirError: an OpenVINO graph without its weights.
    """
    found = {
        form: _first(folder, [precise_name(stem, precision, suffix) for stem in STEMS[:2]])
        for form, suffix in (("onnx", ".onnx"), ("ir", ".xml"), ("mnn", ".mnn"))
    }
    graph = found["ir"]
    if graph is not None and _first(folder, [graph.with_suffix(".bin").name]) is None:
        raise ModelDirError(f"{graph} has no weights beside it (expected {graph.with_suffix('.bin').name}): the copy is "
                            "incomplete; copy the whole directory again")
    return found


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
