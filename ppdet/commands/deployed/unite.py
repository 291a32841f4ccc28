"""Find people with a detector and estimate the pose of each: images, a video or a camera.

The same as `ppdet pose`, with PaddleDetection's flags.
"""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.foreign import add_paddledet_flags
from ppdet.commands.flags.paddledet_deploy import UNITE
from ppdet.commands.flags.run_flags import add_engine_flags, add_pose_flags, add_source_flags, add_speed_flags
from ppdet.commands.flags.values import add_switch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of det_keypoint_unite_infer.py."""
    parser.add_argument("--det_model_dir", required=True, help="folder of an exported detector")
    parser.add_argument("--keypoint_model_dir", required=True, help="folder of an exported top-down pose model")
    add_source_flags(parser)
    parser.add_argument("--det_threshold", type=float, default=0.5,
                        help="smallest score of a person's box (default: %(default)s)")
    parser.add_argument("--keypoint_threshold", type=float, default=0.5,
                        help="smallest score that is drawn; the JSON has them all (default: %(default)s)")
    parser.add_argument("--keypoint_batch_size", type=int, default=8, help="people per run of the network (default: %(default)s)")
    add_switch(parser, "--save_res", "also write the poses as JSON into --output_dir")
    add_pose_flags(parser)
    add_speed_flags(parser)
    add_engine_flags(parser)
    add_paddledet_flags(parser, UNITE)


def run(args: argparse.Namespace) -> int:
    """Run both models; returns the exit status."""
    from ppdet.commands.deployed.poses import run_unite

    return run_unite(args)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
