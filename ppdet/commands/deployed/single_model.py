"""Common flags of the two commands with one model."""

from __future__ import annotations

import argparse

from ppdet.commands.flags.run_flags import add_engine_flags, add_source_flags
from ppdet.commands.flags.values import add_switch


def add_single_model_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of infer.py and keypoint_infer.py."""
    parser.add_argument("--model_dir", required=True, help="folder of an exported model")
    add_source_flags(parser)
    parser.add_argument("--batch_size", type=int, default=1, help="images per run of the network (default: %(default)s)")
    parser.add_argument("--threshold", type=float, default=0.5,
                        help="smallest score that is drawn; the JSON of --save_results has them all (default: %(default)s)")
    add_switch(parser, "--save_images", "write the images with results drawn on them (default: on)", default=True)
    add_switch(parser, "--save_results", "also write the results as JSON into --output_dir; infer.py: bbox.json, a list of boxes "
                                         "with image_id (of a video: frame) and file_name")
    add_engine_flags(parser)
    add_switch(parser, "--enable_mkldnn_bfloat16", "the same as --enable_mkldnn --precision bf16")
