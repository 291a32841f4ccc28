"""Evaluate weights: ppdet eval -c configs/keypoint/tiny_pose/tinypose_128x96.yml -o weights=FILE.pdparams

Keypoint configs give OKS AP, detector configs box AP. Without flip test: -o TopDownHRNet.flip=false. With exactly
PaddleDetection's un-warp and flip shift: -o paddledet_exact=true. With annotated and with a detector's boxes, side by
side: --boxes gt det -o EvalDataset.bbox_file=FILE. The score of the training set's mean pose, without a model: --baseline
mean_pose. Bottom-up models without flip test: -o HigherHRNet.eval_flip=false; at several scales:
-o test_scales=[0.5,1,2]. On a CPU the fastest engine runs the network if the results agree with the framework's; --engine paddle
forces the framework. See docs/evaluation.md and docs/bottom_up.md.
"""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.config_flags import add_config_flags
from ppdet.commands.flags.foreign import add_paddledet_flags
from ppdet.commands.flags.paddledet_tools import EVAL
from ppdet.commands.flags.run_flags import add_precision_flags
from ppdet.commands.flags.values import add_switch, check_numbers
from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger

SETTINGS = {"save_prediction_only": "save_prediction_only=true", "classwise": "classwise=true", "bias": "bias=1"}
"""Flags that set a key of the config."""
BOX_FLAGS = ("classwise", "bias")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """PaddleDetection's flags, and ours."""
    add_config_flags(parser)
    add = parser.add_argument
    add("--metrics", nargs="+", metavar="NAME",
        help="figures by name instead of the config's metric: EPE, PCK@0.1, PCKh, AUC, NME, AP, AR, and with a pixel spacing "
        "MRE, SD, SDR")  # fmt: skip
    add("--output_eval", metavar="DIR", help="write the predictions there (keypoints_results.json or bbox.json)")
    add_switch(parser, "--json_eval", "score the predictions in --output_eval again, without a model")
    add_switch(parser, "--save_prediction_only", "write the predictions, compute no figures")
    add_switch(parser, "--classwise", "also the AP of each category (detectors)")
    add_switch(parser, "--bias", "add 1 to widths and heights of predicted boxes (detectors)")
    add("--boxes", nargs="+", choices=["gt", "gt_select", "det"], metavar="SOURCE",
        help="one table over sources of person boxes: gt (annotated), det (EvalDataset.bbox_file), gt_select (annotated, "
        "filtered as the Fluid release did)")  # fmt: skip
    add("--baseline", choices=["mean_pose"], help="score the training set's mean pose in each box instead of a model")
    add_switch(parser, "--amp", "mixed precision (GPU)")
    deployed = parser.add_argument_group("engine; an exported model instead of weights")
    deployed.add_argument("--model_dir", help="exported folder")
    add_precision_flags(deployed, cpu_threads=2)
    add_paddledet_flags(parser, EVAL)


def run(args: argparse.Namespace) -> None:
    """Evaluate and print the figures."""
    _refuse_contradictions(args)
    from ppdet.core.config.load import load_config

    changes = [*args.opt, *figure_changes(args.metrics), *(setting for name, setting in SETTINGS.items() if getattr(args, name))]
    if args.baseline:
        from ppdet.engine.evaluation.mean_pose import evaluate_mean_pose

        evaluate_mean_pose(load_config(args.config, changes), args.output_eval)
        return
    from ppdet.engine.evaluation.evaluator import evaluate

    exported = None
    if args.model_dir:
        exported = {name: getattr(args, name) for name in ("model_dir", "engine", "precision", "cpu_threads")}
    if args.boxes:
        from ppdet.engine.evaluation.box_sources import compare_boxes

        compare_boxes(args.config, changes, args.boxes, args.output_eval, args.amp, exported, args.engine)
        return
    config = load_config(args.config, changes)
    for name in BOX_FLAGS:
        if getattr(args, name) and "keypoint" in f"{config.get('metric')} {config.get('IouType')}".lower():
            get_logger("ppdet.commands").warning("--%s has no effect: it is for boxes, and this metric is for keypoints", name)
    evaluate(config, args.output_eval, args.amp, args.json_eval, exported, args.engine)


def figure_changes(names: Optional[Sequence[str]]) -> list[str]:
    """The config option for `--metrics`.

    Raises:
        ConfigError: an unknown name.
    """
    if not names:
        return []
    from ppdet.metrics.landmarks.figure_names import parse_figures

    return [f"metric=[{', '.join(figure.name for figure in parse_figures(names))}]"]


def _refuse_contradictions(args: argparse.Namespace) -> None:
    check_numbers(args)
    if args.boxes and (args.json_eval or args.save_prediction_only):
        raise ConfigError("--boxes computes figures of a model: leave out --json_eval and --save_prediction_only")
    if args.baseline and (args.boxes or args.json_eval or args.model_dir or args.amp):
        raise ConfigError("--baseline needs no model: leave out --boxes, --json_eval, --model_dir and --amp")
    if not args.model_dir and args.precision != "fp32":
        raise ConfigError("--precision applies to an exported model: give its folder as --model_dir, or leave it out")


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
