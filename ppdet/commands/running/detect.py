"""Find boxes of people (or of the detector's other classes): ppdet detect photo.jpg

    ppdet detect street.mp4 --json boxes.json            COCO result entries with image_id, file_name and score
    ppdet detect images/ --det output_inference/picodet_s_320_lcnet_pedestrian

    ppdet detect photo.jpg --det yolov8n.onnx            other toolkits' detectors: docs/any_model.md

A model is a name, the folder of an exported detector, or an ONNX file. PaddleDetection's flags: deploy/python/infer.py.
"""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.source_flags import add_plain_source_flags


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sources, the model, results, engine."""
    models = parser.add_argument_group("model")
    models.add_argument("--det", metavar="MODEL", help="name, exported folder or ONNX file (default: the one that is bundled)")
    models.add_argument("--threshold", type=float, default=0.5,
                        help="smallest score that is drawn and counted (default: %(default)s)")
    models.add_argument("--save_threshold", type=float, default=0.0, help="smallest score in the JSON (default: %(default)s)")
    models.add_argument("--batch_size", type=int, default=1, help="images per run of the network (default: %(default)s)")
    add_plain_source_flags(parser, "output/detect", "boxes")


def run(args: argparse.Namespace) -> int:
    """Detect; returns 1 if an image could not be read."""
    from ppdet.commands.running.plain_sources import run_detect

    return run_detect(args)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
