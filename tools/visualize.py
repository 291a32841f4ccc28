"""Draw poses of a JSON file on their images: python tools/visualize.py keypoints_results.json --image_dir images

Takes COCO results (keypoints_results.json of tools/eval.py, keypoint.json of tools/infer.py), the JSON of deploy/python, and
annotations (COCO, MPII). Exit status 1 if some images are missing: they are named and the others drawn.
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
    add("json", help="predictions or annotations")
    add("--image_dir", metavar="DIR", help="folder of the images (default: that of the JSON)")
    add("--annotations", metavar="FILE", help="COCO annotations that give file names of image ids, and the skeleton")
    add("--truth", action="store_true", help="also draw the people of --annotations, in white below the predictions")
    add("--skeleton", metavar="NAME", help="coco17, mpii16, crowdpose14, aic14, lsp14, hand21, or a config (.yml) that has its "
        "own; default: the annotations'")  # fmt: skip
    add("--output_dir", default="output/visualize", metavar="DIR", help="default: %(default)s")
    add("--threshold", type=float, default=0.2, help="smallest score of a keypoint (default: %(default)s)")
    add("--person_threshold", type=float, default=0.3, help="smallest score of a person (default: %(default)s)")
    add("--boxes", action="store_true", help="also draw boxes, if the file has them")
    add("--names", action="store_true", help="also write the names of keypoints")
    add("--line_scale", type=float, default=1.0, help="factor on the width of limbs (default: %(default)s)")
    add("--contact_sheet", type=int, nargs="?", const=4, default=0, metavar="COLUMNS", dest="sheet_columns",
        help="also write all (at most 100) into one image, 4 per row by default")  # fmt: skip
    add("--limit", type=int, default=0, metavar="N", help="only the first N images")
    return parser.parse_args()


def main() -> int:
    """Parse and draw."""
    args = vars(parse_args())
    from ppdet.commands.draw import PlotOptions, plot_poses

    return plot_poses(args.pop("json"), PlotOptions(**args))


if __name__ == "__main__":
    raise SystemExit(run_command(main))
