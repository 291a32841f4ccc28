"""Common part of all commands: from arguments to an exit status.

A command is a module with a docstring, `add_arguments(parser)`, `run(args)` and a `main(argv=None, prog=None)` that calls
`run_module`. Heavy imports belong in `run`, so that `--help` is quick.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import Any, Mapping, NoReturn, Optional, Sequence

from ppdet.commands.flags.values import smoothing_value, truth_value
from ppdet.core.command import USER_ERROR, run_command
from ppdet.core.errors import PpdetError
from ppdet.core.extras import install_extra
from ppdet.core.logger import logging_to_stdout
from ppdet.core.problem import did_you_mean
from ppdet.inference.runtimes.registry import available_runtimes

INSTALL = {
    "paddle": ("PaddlePaddle", "'paddlepaddle>=3.0,<3.3' (or paddlepaddle-gpu from Paddle's own index)", "train"),
    "pycocotools": ("pycocotools", "pycocotools", "train"),
    "scipy": ("SciPy", "scipy", "train"),
    "shapely": ("Shapely", "shapely", "tracking"),
    "onnx": ("ONNX", "'onnx<=1.17'", "train"),
    "matplotlib": ("matplotlib", "matplotlib", "train"),
    "visualdl": ("VisualDL", "visualdl", "train"),
    "cv2": ("OpenCV", "opencv-python-headless", ""),
    "numpy": ("NumPy", "numpy", ""),
    "yaml": ("PyYAML", "pyyaml", ""),
    "tqdm": ("tqdm", "tqdm", ""),
    "fastapi": ("FastAPI", "fastapi", "serve"),
    "starlette": ("FastAPI", "fastapi", "serve"),
    "pydantic": ("FastAPI", "fastapi", "serve"),
    "uvicorn": ("uvicorn", "uvicorn", "serve"),
    "h11": ("h11", "h11", "serve"),
    "python_multipart": ("python-multipart", "python-multipart", "serve"),
    "prometheus_client": ("the Prometheus client", "prometheus-client", "serve"),
}
"""Import name -> display name, what to install, and the extra that installs it ("" for the base package)."""

WITHOUT_PADDLE = "pose, batch, detect, draw, serve, bundle, demo, doctor and most of dataset run without it"


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are short, and suggest the nearest flag for one that it does not know."""

    def error(self, message: str) -> NoReturn:
        """Print the message, and end with status 2: the usage of a command with thirty flags would hide it."""
        unknown = message.partition("unrecognized arguments: ")[2].split()  # argparse passes them in no other way
        advice = did_you_mean(unknown[0].split("=")[0], _flags(self)) if unknown else ""
        self.exit(USER_ERROR, f"{self.prog}: error: {message}{advice}\n{self.prog} --help lists the arguments\n")


def _flags(parser: argparse.ArgumentParser) -> set[str]:
    """All flags, including those of sub-commands."""
    names: set[str] = set()
    for action in parser._actions:
        names.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            names.update(*map(_flags, action.choices.values()))
    return names


def make_parser(module: Any, prog: Optional[str] = None) -> argparse.ArgumentParser:
    """The parser of a command's module."""
    parser = _Parser(prog=prog, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    module.add_arguments(parser)
    return parser


def add_subcommands(parser: argparse.ArgumentParser, modules: Mapping[str, Any]) -> None:
    """Add sub-commands to a command, each a module with `add_arguments` and `run`; `args.subcommand` is the chosen module."""
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
        argv: arguments after the command's name; None for those of the process.
        prog: name of the command in usage lines; None for the name of the script.

    Returns:
        The exit status. A user's mistake and a missing package are one line on stderr and status 2.
    """
    module = import_module(name) if name != "__main__" else sys.modules[name]

    def main() -> Optional[int]:
        parser = make_parser(module, prog)
        args = parser.parse_args(explicit_switches(parser, sys.argv[1:] if argv is None else argv))
        try:
            return module.run(args)
        except ModuleNotFoundError as error:
            raise missing_package(error) from error

    with logging_to_stdout() if prog is None else nullcontext():  # a script of PaddleDetection's name, not `ppdet NAME`
        return run_command(main)


def explicit_switches(parser: argparse.ArgumentParser, words: Sequence[str]) -> list[str]:
    """The arguments, with ``--switch`` replaced by ``--switch=true`` if the command takes positional arguments.

    PaddleDetection's switches take a value or none (``--save_res True``, ``--save_res``). With positional arguments that would
    be ambiguous: in ``ppdet pose --smooth 0`` the 0 is a camera. There the value has to be attached (``--smooth=1``), except for
    a word that is not a file (``--smooth savgol``).
    """
    if all(action.option_strings for action in parser._actions):
        return list(words)
    switches, taken, done = _switches(parser), False, []
    for word, following in zip(words, [*words[1:], ""]):
        if taken:
            taken = False
            continue
        taken = word == "--smooth" and word in switches and following.isalpha() and not Path(following).exists()
        done.append(f"{word}={following}" if taken else f"{word}=true" if word in switches else word)
    return done


def _switches(parser: argparse.ArgumentParser) -> set[str]:
    """Names of all switches, including those of sub-commands."""
    names: set[str] = set()
    for action in parser._actions:
        if action.type in (truth_value, smoothing_value) and action.nargs == "?":
            names.update(action.option_strings)
        if isinstance(action, argparse._SubParsersAction):
            names.update(*(_switches(sub) for sub in action.choices.values()))
    return names


def missing_package(error: ModuleNotFoundError) -> Exception:
    """The error to raise for a failed import: a message for the user if a known package is missing, otherwise the error
    itself."""
    package = (error.name or "").split(".")[0]
    known = {**{each.package: (each.title, each.package, "engines") for each in available_runtimes()}, **INSTALL}
    if package not in known:
        return error
    title, requirement, extra = known[package]
    whole = f", or with all that goes with it: {install_extra(extra)}" if extra else ""
    ways = f"pip install {requirement}{whole}"
    rest = f"; {WITHOUT_PADDLE}" if package == "paddle" else ""
    return PpdetError(f"this command needs {title}, which is not installed here: {ways}{rest}")
