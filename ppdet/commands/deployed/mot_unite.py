"""Find people, follow them through a video and estimate the pose of each: a FairMOT or a detector, a tracker and a pose model.

A FairMOT brings its own tracker, which goes by appearance; the people of a detector are followed by their poses.

The same as det_keypoint_unite_infer.py, with the flags of PaddleDetection's mot_keypoint_unite_infer.py and identities in every
output. A bottom-up pose model finds people by itself; its people are followed.
"""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.foreign import add_paddledet_flags
from ppdet.commands.flags.paddledet_deploy import MOT_UNITE
from ppdet.commands.flags.run_flags import (
    add_engine_flags,
    add_person_threshold,
    add_pose_flags,
    add_source_flags,
    add_speed_flags,
)
from ppdet.commands.flags.tracking_flags import MOT_THRESHOLD
from ppdet.commands.flags.values import add_switch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of mot_keypoint_unite_infer.py."""
    parser.add_argument("--mot_model_dir", help="folder of an exported FairMOT or detector, for a top-down pose model")
    parser.add_argument("--keypoint_model_dir", help="folder of an exported pose model; without one, boxes and identities alone")
    add_source_flags(parser)
    parser.add_argument("--mot_threshold", type=float, default=MOT_THRESHOLD,
                        help="smallest score of a person's box; in videos a FairMOT goes by its own conf_thres instead (default: "
                             "%(default)s)")
    parser.add_argument("--keypoint_threshold", type=float, default=0.5,
                        help="smallest score that is drawn; the JSON has them all (default: %(default)s)")
    parser.add_argument("--keypoint_batch_size", type=int, default=1, help="people per run of the network (default: %(default)s)")
    add_switch(parser, "--save_res", "also write the poses as JSON into --output_dir, those of a video with identities")
    add_switch(parser, "--save_mot_txts", "also write the boxes of a video as MOTChallenge text into --output_dir: "
                                          "frame,id,x1,y1,w,h,score,-1,-1,-1")
    add_pose_flags(parser)
    add_speed_flags(parser)
    add_person_threshold(parser)
    add_engine_flags(parser, shape_range=(1, 1088, 608))
    add_paddledet_flags(parser, MOT_UNITE)


def run(args: argparse.Namespace) -> int:
    """Run both models; returns the exit status."""
    from ppdet.commands.deployed.poses import run_mot_unite

    return run_mot_unite(args)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
