"""Make a folder or zip that runs models without Paddle and training code: ppdet bundle --output pose_app

    ppdet bundle --output pose_app.zip --model output_inference/tinypose_256x192 --det picodet_s_320_person
    python -m pip install -r pose_app/requirements.txt
    python pose_app/run.py street.mp4 --output_dir out          the flags of `ppdet pose`

It needs NumPy, OpenCV, PyYAML and the one engine. See docs/deploy.md.
"""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.inference.runtimes.registry import runtime_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What goes in, and where."""
    parser.add_argument("--output", required=True, metavar="PATH", help="folder to make, or a file that ends in .zip")
    parser.add_argument("--model", metavar="MODEL", help="pose model: name or exported folder (default: the bundled one)")
    parser.add_argument("--det", metavar="MODEL", help="detector: name or exported folder, none for a bottom-up model "
                        "(default: the bundled one)")
    engines = [name for name in runtime_names() if name != "paddle"]
    parser.add_argument("--engine", choices=engines, default="onnxruntime", help="the engine it runs with (default: %(default)s)")
    parser.add_argument("--precision", default="fp32", help="of the network files to take (default: %(default)s)")


def run(args: argparse.Namespace) -> None:
    """Copy, and say what was made."""
    from ppdet.commands.models.bundle_folder import make_bundle

    make_bundle(args.output, args.model, args.det, args.engine, args.precision)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
