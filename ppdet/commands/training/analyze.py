"""Explain the errors of a pose model in one HTML page: ppdet analyze -c CONFIG -o weights=FILE.pdparams

Jitter, inversions, swaps, misses and detector misses per keypoint and what correcting each would gain; the worst cases, labels
beside predictions; whether confidences are right, and a calibration for the model card; annotated against detected boxes.
A result file needs no model: ppdet analyze keypoints_results.json --annotations val.json --image_dir images. See
docs/evaluation.md.
"""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.run_flags import add_precision_flags
from ppdet.core.shipped import find_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to analyze."""
    add = parser.add_argument
    add("results", nargs="?", help="result file of `ppdet eval --output_eval`; without it the model of the config runs")
    add("-c", "--config", type=find_config, metavar="FILE", help="config (YAML): a path, or the name of a shipped config")
    add("-o", "--opt", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="options for the config")
    add("--annotations", metavar="FILE", help="COCO annotations to compare a result file with, instead of a config")
    add("--image_dir", metavar="DIR", help="folder of the images (default: the config's)")
    add("--skeleton", metavar="NAME", help="a skeleton, or a config that has one (default: the annotations')")
    add("--category", metavar="NAME", help="category to look at, if the annotations have several with keypoints")
    add("--detections", metavar="FILE", help="a detector's bbox.json (default: EvalDataset.bbox_file)")
    add("--worst", type=int, default=24, metavar="N", help="objects in the gallery (default: %(default)s)")
    add("--output", default="output/analysis", metavar="DIR", help="folder of analysis.html and .json (default: %(default)s)")
    add("--store", metavar="DIR", help="exported model: store the calibration of its confidences in its card")
    deployed = parser.add_argument_group("an exported model instead of weights")
    deployed.add_argument("--model_dir", help="exported folder")
    add_precision_flags(deployed, cpu_threads=2)


def run(args: argparse.Namespace) -> None:
    """Analyze and write the page."""
    from ppdet.core.config.load import load_config
    from ppdet.core.errors import ConfigError
    from ppdet.engine.evaluation.analyze import AnalyzeOptions, analyze

    if args.config is None and (args.opt or args.model_dir):
        raise ConfigError("-o and --model_dir go with a config: give it as -c FILE")
    if args.config is not None and args.annotations is not None:
        raise ConfigError("--annotations is for result files without a config; the config's EvalDataset names its own")
    exported = None
    if args.model_dir:
        exported = {name: getattr(args, name) for name in ("model_dir", "engine", "precision", "cpu_threads")}
    options = AnalyzeOptions(
        args.output, args.results, args.annotations, args.image_dir, args.skeleton, args.category, args.detections, args.worst,
        args.store, exported, args.engine,
    )  # fmt: skip
    analyze(options, None if args.config is None else load_config(args.config, args.opt))


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
