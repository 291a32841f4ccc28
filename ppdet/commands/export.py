"""Export weights for deployment: ppdet export -c CONFIG.yml -o weights=FILE.pdparams --onnx

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
    add_switch(parser, "--half_weights", "with --onnx: store the weights of model.onnx in 16 bits, half the size on disk")
    add_switch(parser, "--for_fd", "FastDeploy's layout: inference.* directly in --output_dir")
    add_paddledet_flags(parser, EXPORT)


def run(args: argparse.Namespace) -> None:
    """Export, and compare every engine with the framework."""
    from ppdet.core.config.load import load_config
    from ppdet.engine.export.exporter import export

    export(load_config(args.config, args.opt), args.output_dir, args.onnx, args.for_fd, args.half_weights)


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
