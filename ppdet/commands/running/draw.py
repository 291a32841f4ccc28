"""Draw poses of a JSON file on their images: ppdet draw keypoints_results.json --image_dir images

Takes COCO results (keypoints_results.json of `ppdet eval`, keypoint.json of `ppdet infer`), the JSON of `ppdet pose` and
deploy/python, and annotations (COCO, MPII). Exit status 1 if some images are missing: they are named and the others drawn.
"""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.values import add_switch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to draw and how."""
    add = parser.add_argument
    add("json", help="predictions or annotations")
    add("--image_dir", metavar="DIR", help="folder of the images (default: that of the JSON)")
    add("--annotations", metavar="FILE", help="COCO annotations with the file names of image ids, and the skeleton")
    add_switch(parser, "--truth", "also draw the people of --annotations, in white below the predictions")
    add("--skeleton", metavar="NAME", help="coco17, mpii16, crowdpose14, aic14, lsp14, hand21, or a config (.yml) that has its "
        "own; default: the annotations'")  # fmt: skip
    add("--output_dir", default="output/visualize", metavar="DIR", help="default: %(default)s")
    add("--threshold", type=float, default=0.2, help="smallest score of a keypoint (default: %(default)s)")
    add("--person_threshold", type=float, default=0.3, help="smallest score of a person (default: %(default)s)")
    add_switch(parser, "--boxes", "also draw boxes, if the file has them")
    add_switch(parser, "--names", "also write the names of the keypoints")
    add("--line_scale", type=float, default=1.0, help="factor on the width of limbs (default: %(default)s)")
    add("--contact_sheet", type=int, nargs="?", const=4, default=0, metavar="COLUMNS", dest="sheet_columns",
        help="also write all (at most 100) into one image, 4 in a row by default")  # fmt: skip
    add("--limit", type=int, default=0, metavar="N", help="only the first N images")


def run(args: argparse.Namespace) -> int:
    """Draw; returns 1 if images were missing."""
    from ppdet.commands.running.drawing import PlotOptions, plot_poses

    options = {name: value for name, value in vars(args).items() if name in PlotOptions.__dataclass_fields__}
    return plot_poses(args.json, PlotOptions(**options))


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
