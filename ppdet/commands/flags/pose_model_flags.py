"""Flags of the models of `ppdet pose` and `ppdet batch`."""

from __future__ import annotations

import argparse

from ppdet.commands.flags.run_flags import add_person_threshold
from ppdet.commands.flags.values import add_switch

NO_DETECTOR = "none"


def add_pose_model_flags(parser: argparse.ArgumentParser) -> None:
    """Add the models and how they are run."""
    models = parser.add_argument_group("models")
    models.add_argument("--model", metavar="MODEL",
                        help="pose model: name, exported folder or ONNX file (default: the one that is bundled)")
    models.add_argument("--det", metavar="MODEL",
                        help="detector: name, exported folder, ONNX file or JSON file of boxes (default: the one that is "
                             f"bundled); {NO_DETECTOR} for a bottom-up model, or to take each whole image as one person")
    models.add_argument("--det_threshold", type=float, default=0.5,
                        help="smallest score of a person's box (default: %(default)s)")
    models.add_argument("--threshold", type=float, default=0.5,
                        help="smallest keypoint score that is drawn; formats with scores have them all (default: %(default)s)")
    models.add_argument("--batch_size", type=int, default=8, help="people per run of the network (default: %(default)s)")
    add_switch(models, "--flip_test", "average with the mirrored crop: slower, a little more accurate (default: off)")
    add_person_threshold(models)
