"""Make an annotation file of labelme's: python tools/labelme_to_coco.py FOLDER -c CONFIG -o annotations/train.json

CONFIG's skeleton names the keypoints. Every object is a rectangle and points labelled by the keypoints' names; points with other
labels are taken in their order. With --val 0.2 a fifth of the images goes into a file beside, val.json. See docs/data.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.core.command import run_command  # noqa: E402


def parse_args() -> argparse.Namespace:
    """The flags."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("folder", help="folder of labelme's JSON files, also in folders below")
    add("-c", "--config", required=True, help="configuration whose skeleton names the keypoints")
    add("-o", "--output", required=True, metavar="FILE", help="the annotation file to write")
    add("--category", default="object", help="name of the objects (default: %(default)s)")
    add("--image_root", metavar="DIR", help="folder that file names of images are relative to (default: FOLDER)")
    add("--val", type=float, default=0.0, metavar="SHARE", help="share of the images that goes into val.json beside FILE")
    add("--seed", type=int, default=42, help="of the choice of these images (default: %(default)s)")
    return parser.parse_args()


def main() -> None:
    """Parse, convert."""
    args = parse_args()
    from ppdet.commands.labelme_to_coco import convert_folder
    from ppdet.core.config.load import load_config
    from ppdet.skeletons.lookup import skeleton_from_config

    skeleton = skeleton_from_config(load_config(args.config))
    root = Path(args.image_root or args.folder)
    convert_folder(Path(args.folder), Path(args.output), skeleton, args.category, root, args.val, args.seed)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
