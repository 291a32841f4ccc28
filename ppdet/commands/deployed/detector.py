"""Find boxes with an exported detector: images, a video or a camera.

The same as `ppdet detect`, with PaddleDetection's flags.
"""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from ppdet.commands.deployed.single_model import add_single_model_flags
from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.foreign import add_paddledet_flags
from ppdet.commands.flags.paddledet_deploy import DETECTOR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of infer.py."""
    add_single_model_flags(parser)
    parser.add_argument("--save_threshold", type=float, default=0.0,
                        help="smallest score that --save_results writes to bbox.json, independent of --threshold. "
                             "The default keeps all that the detector outputs, which evaluation from a bbox_file needs "
                             "(default: %(default)s)")
    add_paddledet_flags(parser, DETECTOR)


def run(args: argparse.Namespace) -> int:
    """Run the detector; returns the exit status."""
    from ppdet.commands.deployed.boxes import run_detect

    return run_detect(args)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
