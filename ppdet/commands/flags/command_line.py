"""From arguments to an exit status: what all commands share.

A command is a module with a docstring, `add_arguments(parser)`, `run(args)` and a `main(argv=None, prog=None)` that calls
`run_module`. Heavy imports belong into `run`, so that `--help` is quick.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import Any, Mapping, Optional, Sequence

from ppdet.core.command import run_command
from ppdet.core.errors import PpdetError

INSTALL = {
    "paddle": ("PaddlePaddle", "paddlepaddle>=3.0,<3.3 (or paddlepaddle-gpu from Paddle's own index)", "train"),
    "pycocotools": ("pycocotools", "pycocotools", "train"),
    "scipy": ("SciPy", "scipy", "train"),
    "shapely": ("Shapely", "shapely", "train"),
    "onnx": ("ONNX", "'onnx<=1.17'", "train"),
    "visualdl": ("VisualDL", "visualdl", "train"),
    "onnxruntime": ("ONNX Runtime", "onnxruntime", "engines"),
    "openvino": ("OpenVINO", "openvino", "engines"),
    "cv2": ("OpenCV", "opencv-python-headless", ""),
    "numpy": ("NumPy", "numpy", ""),
    "yaml": ("PyYAML", "pyyaml", ""),
    "tqdm": ("tqdm", "tqdm", ""),
}
"""Import name -> its own name, what to install, and the extra that installs it ("" for the light part)."""

WITHOUT_PADDLE = "pose, detect, draw, demo and doctor run without it"


def make_parser(module: Any, prog: Optional[str] = None) -> argparse.ArgumentParser:
    """The parser of a command's module."""
    parser = argparse.ArgumentParser(prog=prog, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    module.add_arguments(parser)
    return parser


def add_subcommands(parser: argparse.ArgumentParser, modules: Mapping[str, Any]) -> None:
    """Give a command sub-commands, each of them a module with `add_arguments` and `run`; `args.subcommand` is the module."""
    kinds = parser.add_subparsers(required=True, metavar="{" + ",".join(modules) + "}", dest="kind")
    for name, module in modules.items():
        first, *_ = (module.__doc__ or "").split("\n")
        sub = kinds.add_parser(name, help=first.split(": ppdet ")[0].rstrip("."), description=module.__doc__,
                               formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
        module.add_arguments(sub)
        sub.set_defaults(subcommand=module)


def run_module(name: str, argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    """Parse the arguments of a command and run it.

    Args:
        name: of the command's module.
        argv: the words after the command's name; None takes those of the process.
        prog: how usage lines call the command; None takes the name of the script.

    Returns:
        The exit status. A user's mistake and a missing package are one line on stderr and status 2.
    """
    module = import_module(name) if name != "__main__" else sys.modules[name]

    def main() -> Optional[int]:
        args = make_parser(module, prog).parse_args(argv)
        try:
            return module.run(args)
        except ModuleNotFoundError as error:
            raise missing_package(error) from error

    return run_command(main)


def missing_package(error: ModuleNotFoundError) -> Exception:
    """What to raise for an import that failed: a message for the user if a known package is missing, else the error itself."""
    package = (error.name or "").split(".")[0]
    if package not in INSTALL:
        return error
    title, requirement, extra = INSTALL[package]
    ways = f"pip install {requirement}" + (f", or pip install 'ppdet-keypoint[{extra}]' for all of its kind" if extra else "")
    rest = f"; {WITHOUT_PADDLE}" if package == "paddle" else ""
    return PpdetError(f"this command needs {title}, which is not installed here: {ways}{rest}")
