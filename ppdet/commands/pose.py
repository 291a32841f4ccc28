"""Find people and their poses: ppdet pose photo.jpg

    ppdet pose street.mp4 --output_dir out               a video with skeletons
    ppdet pose images/ --json poses.json                 only the numbers
    ppdet pose photo.jpg --json - | jq '.[0].people'     into a pipe; log lines go to stderr
    ppdet pose long.mp4 --json poses.jsonl --resume      one line per frame, continued after an interruption
    ppdet pose 0                                         the first camera, until Ctrl-C
    ppdet pose photo.jpg --model output_inference/higherhrnet_hrnet_w32_512 --det none
    ppdet pose photo.jpg --det yolov8n.onnx --model rtmpose-s.onnx       other toolkits' models: docs/any_model.md

A model is a name, the folder of an exported model, or an ONNX file. PaddleDetection's flags:
deploy/python/det_keypoint_unite_infer.py.
"""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.run_flags import add_person_threshold, add_smoothing_flags, add_speed_flags
from ppdet.commands.flags.source_flags import add_plain_source_flags
from ppdet.commands.flags.tracking_flags import add_tracking_flags
from ppdet.commands.flags.values import add_switch

NO_DETECTOR = "none"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sources, models, results, engine."""
    models = parser.add_argument_group("models")
    models.add_argument("--model", metavar="MODEL",
                        help="pose model: name, exported folder or ONNX file (default: the one that is bundled)")
    models.add_argument("--det", metavar="MODEL",
                        help="detector: name, exported folder, ONNX file or JSON file of boxes (default: the one that is "
                             f"bundled); {NO_DETECTOR} for a bottom-up model, or to take each whole image as one person")
    models.add_argument("--det_threshold", type=float, default=0.5,
                        help="smallest score of a person's box (default: %(default)s)")
    models.add_argument("--threshold", type=float, default=0.5,
                        help="smallest keypoint score that is drawn; the JSON has them all (default: %(default)s)")
    models.add_argument("--batch_size", type=int, default=8, help="people per run of the network (default: %(default)s)")
    add_switch(models, "--flip_test", "average with the mirrored crop: slower, a little more accurate (default: off)")
    add_person_threshold(models)
    add_speed_flags(models)
    add_plain_source_flags(parser, "output/pose", "poses")
    add_switch(parser, "--resume", "continue the .jsonl file of --json behind what an earlier run wrote (default: off)")
    add_smoothing_flags(parser)
    add_tracking_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Estimate; returns 1 if an image or frame could not be read."""
    from ppdet.commands.deployed.plain_sources import run_pose

    return run_pose(args)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
