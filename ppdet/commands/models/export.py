"""Export weights for deployment: ppdet export -c CONFIG.yml -o weights=FILE.pdparams --onnx

    ppdet export -c CONFIG.yml -o weights=FILE.pdparams --targets paddle,onnx,mnn,legacy --precision fp32,int8

Writes {output_dir}/{config name}/ with infer_cfg.yml, model.json, model.pdiparams, with --onnx also model.onnx, and
export_report.md, which compares every engine with the framework. See docs/export.md.
"""

from __future__ import annotations

import argparse
from typing import Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.config_flags import add_config_flags
from ppdet.commands.flags.foreign import add_paddledet_flags
from ppdet.commands.flags.paddledet_tools import EXPORT
from ppdet.commands.flags.values import add_switch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """PaddleDetection's flags, and --onnx."""
    add_config_flags(parser)
    parser.add_argument("--output_dir", default="output_inference", help="parent of the exported folder (default: %(default)s)")
    add_switch(parser, "--onnx", "also write model.onnx (needs paddle2onnx)")
    parser.add_argument("--targets", metavar="NAMES", help="instead of --onnx, comma-separated: paddle, onnx, mnn, legacy "
                        "(.pdmodel for Paddle 2 and Paddle Lite), lite (.nb files), engines with a format of their own")
    parser.add_argument("--precision", default="fp32", metavar="NAMES", help="comma-separated fp32, fp16, bf16, int8: a file "
                        "of each for the targets that have it (default: %(default)s)")
    parser.add_argument("--calibration", metavar="DIR", help="images of people for int8 (default: those of the datasets)")
    parser.add_argument("--lite_opt", default="", metavar="PATH", help="paddle_lite_opt, for the target lite (default: on PATH)")
    add_switch(parser, "--rewrite", "rewrite the ONNX graph into an equivalent one that runs faster (default: on)", default=True)
    add_switch(parser, "--half_weights", "with --onnx: store the weights of model.onnx in 16 bits, half the size on disk")
    add_switch(parser, "--for_fd", "FastDeploy's layout: inference.* directly in --output_dir")
    add_paddledet_flags(parser, EXPORT)


def run(args: argparse.Namespace) -> None:
    """Export, and compare every engine with the framework."""
    from ppdet.core.config.load import load_config
    from ppdet.engine.export.exporter import export

    export(
        load_config(args.config, args.opt), args.output_dir, args.onnx, args.for_fd, args.half_weights,
        targets=_names(args.targets) if args.targets is not None else None, precisions=_names(args.precision),
        rewrite=args.rewrite, lite_opt=args.lite_opt, calibration=args.calibration,
    )  # fmt: skip


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
