"""Make a COCO annotation file from labelme's files: ppdet dataset from-labelme FOLDER -c CONFIG -o annotations/train.json

CONFIG's skeleton names the keypoints. Every object consists of a rectangle and points labelled with keypoint names. With --val
0.2 a fifth of the images goes into val.json beside FILE. See docs/data.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.core.shipped import find_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of tools/labelme_to_coco.py."""
    add = parser.add_argument
    add("folder", help="folder of labelme's JSON files, including sub-folders")
    add("-c", "--config", required=True, type=find_config, metavar="FILE", help="config whose skeleton names the keypoints")
    add("-o", "--output", required=True, metavar="FILE", help="the annotation file to write")
    add("--category", default="object", help="name of the objects (default: %(default)s)")
    add("--image_root", metavar="DIR", help="folder that file names of images are relative to (default: FOLDER)")
    add("--val", type=float, default=0.0, metavar="SHARE", help="fraction of the images that goes into val.json beside FILE")
    add("--seed", type=int, default=42, help="seed for choosing these images (default: %(default)s)")


def run(args: argparse.Namespace) -> None:
    """Convert."""
    from ppdet.core.config.load import load_config
    from ppdet.data.convert.labelme_folder import convert_folder
    from ppdet.skeletons.lookup import skeleton_from_config

    skeleton = skeleton_from_config(load_config(args.config))
    root = Path(args.image_root or args.folder)
    convert_folder(Path(args.folder), Path(args.output), skeleton, args.category, root, args.val, args.seed)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
