"""Predict from weights: python tools/infer.py -c CONFIG.yml -o weights=FILE.pdparams --infer_img photo.jpg

A top-down model takes the whole image as one person; with --det_config and --det_weights it finds the people first. A
bottom-up model (HigherHRNet) finds everybody by itself, with flip test and test_scales as its config says. For exported models
and cameras see deploy/python.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.core.command import run_command  # noqa: E402


def parse_args() -> argparse.Namespace:
    """PaddleDetection's flags, as far as they mean something here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("-c", "--config", required=True, help="configuration (YAML)")
    add("-o", "--opt", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="change the configuration")
    add("--infer_img", metavar="FILE", help="one image")
    add("--infer_dir", metavar="DIR", help="a folder of images")
    add("--infer_list", metavar="FILE", help="text file with an image a line (below --infer_dir, if given)")
    add("--video_file", metavar="FILE", help="a video instead of images (keypoint models)")
    add("--output_dir", default="output", help="folder of the results (default: %(default)s)")
    add("--draw_threshold", type=float, default=0.5, help="smallest score that is drawn (default: %(default)s)")
    add("--save_threshold", type=float, default=0.5, help="smallest score of a box in bbox.json (default: %(default)s)")
    add("--save_results", type=_truth, nargs="?", const=True, default=False, help="write keypoint.json or bbox.json")
    add("--visualize", type=_truth, nargs="?", const=True, default=True, help="write drawn images (default: true)")
    add("--det_config", metavar="YML", help="a detector's configuration, to find people for a keypoint model")
    add("--det_weights", metavar="FILE", help="its weights")
    add("--det_threshold", type=float, default=0.5, help="smallest score of a person's box (default: %(default)s)")
    add("--person_threshold", type=float, default=0.1,
        help="people of a bottom-up model with a smaller mean keypoint score are left out (default: %(default)s)")  # fmt: skip
    return parser.parse_args()


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise argparse.ArgumentTypeError(f"expected true or false, got {text!r}")
    return text.lower() in ("true", "1")


def main() -> int:
    """Parse, load, predict."""
    args = parse_args()
    from ppdet.core.config.load import load_config
    from ppdet.engine.prediction.predictor import PredictOptions, find_images, predict

    paths = [] if args.video_file else find_images(args.infer_img, args.infer_dir, args.infer_list)
    options = PredictOptions(
        args.output_dir, args.draw_threshold, args.save_results, args.save_threshold, args.visualize, args.det_threshold,
        args.person_threshold,
    )  # fmt: skip
    return predict(load_config(args.config, args.opt), paths, options, args.det_config, args.det_weights, args.video_file)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
