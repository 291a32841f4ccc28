"""Find people and their poses: ppdet pose photo.jpg

    ppdet pose street.mp4 --output_dir out               a video with skeletons
    ppdet pose images/ --json poses.json                 only the numbers
    ppdet pose street.mp4 --results poses.parquet        as a table; other formats: docs/formats.md
    ppdet pose photo.jpg --json - | jq '.[0].people'     into a pipe; log lines go to stderr
    ppdet pose long.mp4 --results poses.jsonl --resume   one line per frame, continued after an interruption
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
from ppdet.commands.flags.pose_model_flags import add_pose_model_flags
from ppdet.commands.flags.run_flags import add_smoothing_flags, add_speed_flags
from ppdet.commands.flags.source_flags import add_plain_source_flags
from ppdet.commands.flags.tracking_flags import add_tracking_flags
from ppdet.commands.flags.values import add_switch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sources, models, results, engine."""
    add_pose_model_flags(parser)
    add_speed_flags(parser)
    add_plain_source_flags(parser, "output/pose", "poses", poses=True)
    add_switch(parser, "--resume", "write each line to the .jsonl file of --results immediately, and continue a file that an "
                                   "earlier run began (default: off)")  # fmt: skip
    add_smoothing_flags(parser)
    add_tracking_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Estimate; returns 1 if an image or frame could not be read."""
    from ppdet.commands.running.plain_sources import run_pose

    return run_pose(args)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
