"""Predict from weights: ppdet infer -c CONFIG.yml -o weights=FILE.pdparams --infer_img photo.jpg

A top-down model takes the whole image as one person; with --det_config and --det_weights it finds the people first. A
bottom-up model (HigherHRNet) finds everybody by itself, with flip test and test_scales as its config says. For exported models
and cameras see `ppdet pose`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.config_flags import add_config_flags
from ppdet.commands.flags.foreign import add_paddledet_flags
from ppdet.commands.flags.format_flags import add_format_flags
from ppdet.commands.flags.paddledet_tools import INFER
from ppdet.commands.flags.run_flags import add_person_threshold, add_range_flag
from ppdet.commands.flags.values import add_switch, check_numbers
from ppdet.core.errors import ConfigError
from ppdet.core.shipped import find_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """PaddleDetection's flags, and those of a detector."""
    add_config_flags(parser)
    add = parser.add_argument
    add("--infer_img", metavar="FILE", help="one image")
    add("--infer_dir", metavar="DIR", help="a folder of images")
    add("--infer_list", metavar="FILE", help="text file with one image per line (below --infer_dir, if given)")
    add("--video_file", metavar="FILE", help="a video instead of images (keypoint models, FairMOT)")
    add("--output_dir", default="output", help="folder of the results (default: %(default)s)")
    add("--draw_threshold", type=float, default=0.5, help="smallest score that is drawn (default: %(default)s)")
    add("--save_threshold", type=float, default=0.5, help="smallest score of a box in bbox.json (default: %(default)s)")
    add_switch(parser, "--save_results", "write keypoint.json or bbox.json")
    add_format_flags(parser, "write the poses in this format, too")
    add_switch(parser, "--save_txt", "also write one text file per image; implies --save_results")
    add_switch(parser, "--visualize", "write drawn images (default: on)", default=True)
    add_switch(parser, "--do_eval", "evaluate on the EvalDataset after the predictions")
    add_switch(parser, "--use_vdl", "write each image and its result for VisualDL")
    add("--vdl_log_dir", default="vdl_log_dir/image", metavar="DIR", help="folder for them (default: %(default)s)")
    add("--det_config", type=find_config, metavar="YML", help="a detector's configuration, to find people for a keypoint model")
    add("--det_weights", metavar="FILE", help="its weights")
    add("--det_threshold", type=float, default=0.5, help="smallest score of a person's box (default: %(default)s)")
    add_range_flag(parser)
    add_person_threshold(parser)
    add_paddledet_flags(parser, INFER)


def run(args: argparse.Namespace) -> int:
    """Predict; returns 1 if an image or frame failed."""
    _refuse_contradictions(args)
    from ppdet.core.config.load import load_config
    from ppdet.engine.prediction.predictor import PredictOptions, find_images, predict

    paths = [] if args.video_file else find_images(args.infer_img, args.infer_dir, args.infer_list)
    options = PredictOptions(
        args.output_dir, args.draw_threshold, args.save_results or args.save_txt, args.save_threshold, args.visualize,
        args.det_threshold, args.person_threshold, args.format, args.mm_per_pixel, args.image_range,
    )  # fmt: skip
    config = load_config(args.config, args.opt)
    if args.use_vdl:
        from ppdet.engine.prediction.image_log import require_visual_dl

        require_visual_dl()
    status = predict(config, paths, options, args.det_config, args.det_weights, args.video_file)
    _further_results(args, paths)
    if args.do_eval:
        from ppdet.engine.evaluation.evaluator import evaluate

        evaluate(config)
    return status


def _further_results(args: argparse.Namespace, paths: Sequence[Path]) -> None:
    """Write text files and VisualDL's images from the results."""
    if args.save_txt:
        from ppdet.engine.prediction.text_results import write_text_results

        write_text_results(args.output_dir)
    if args.use_vdl:
        from ppdet.engine.prediction.image_log import log_images

        log_images(paths, args.output_dir, args.vdl_log_dir)


def _refuse_contradictions(args: argparse.Namespace) -> None:
    check_numbers(args)
    given = [name for name in ("--save_txt", "--use_vdl") if getattr(args, name[2:])]
    if given and args.video_file:
        raise ConfigError(f"{' and '.join(given)}: for images, not for a video; leave it out")
    if args.use_vdl and not args.visualize:
        raise ConfigError("--use_vdl shows the drawn images: leave out --visualize false")


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
