"""Split an annotation file for training and validation: ppdet dataset split all.json -o DIR --val 0.2

Frames of one video stay together: groups are found by a key of the images (video, patient, ...), by folders, or by the beginning
of file names; --by KEY says which key. With --folds N, N pairs of files for cross-validation are written. See docs/data.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    add = parser.add_argument
    add("annotations", help="COCO-style file")
    add("-o", "--output", required=True, metavar="DIR", help="folder for train.json and val.json")
    add("--val", type=float, default=0.2, metavar="SHARE", help="share of the images for validation (default: %(default)g)")
    add("--by", metavar="KEY", help="image key whose values stay together, or `folder`, or `image` for no groups")
    add("--folds", type=int, default=0, metavar="N", help="write fold0/ ... foldN-1/ for cross-validation instead")
    add("--seed", type=int, default=42, help="random seed (default: %(default)s)")
    add("--overwrite", action="store_true", help="replace files that exist")


def run(args: argparse.Namespace) -> None:
    """Split and write."""
    from ppdet.data.convert.splitting import split_file

    split_file(Path(args.annotations), Path(args.output), args.val, args.by, args.folds, args.seed, args.overwrite)
