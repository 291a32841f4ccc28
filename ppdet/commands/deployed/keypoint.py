"""Estimate poses with one exported model: images, a video or a camera.

A bottom-up model (HigherHRNet) finds everybody in the image; a top-down model takes the whole image as one person's box, or the
boxes of --bbox_file.
"""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from ppdet.commands.deployed.single_model import add_single_model_flags
from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.foreign import add_paddledet_flags
from ppdet.commands.flags.paddledet_deploy import KEYPOINT
from ppdet.commands.flags.run_flags import add_person_threshold, add_pose_flags


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of keypoint_infer.py."""
    add_single_model_flags(parser)
    parser.add_argument("--bbox_file", metavar="JSON", help="boxes of the persons of each image, for a top-down model: COCO "
                        "annotations or results (default: the whole image is one person's box)")
    parser.add_argument("--bbox_threshold", type=float, default=0.0, metavar="SCORE",
                        help="smallest score of these boxes (default: %(default)s)")
    add_pose_flags(parser)
    add_person_threshold(parser)
    add_paddledet_flags(parser, KEYPOINT)


def run(args: argparse.Namespace) -> int:
    """Run the model; returns the exit status."""
    from ppdet.commands.deployed.poses import run_keypoint

    return run_keypoint(args)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
