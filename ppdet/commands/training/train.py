"""Train a model: ppdet train -c configs/keypoint/tiny_pose/tinypose_128x96.yml --eval

Cross-validation for little data: --folds 5. On several GPUs: python -m paddle.distributed.launch tools/train.py -c ...
See docs/training.md.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Optional, Sequence

from ppdet.commands.flags.command_line import run_module
from ppdet.commands.flags.config_flags import add_config_flags
from ppdet.commands.flags.foreign import add_paddledet_flags
from ppdet.commands.flags.paddledet_tools import TRAIN
from ppdet.commands.flags.values import add_switch

if TYPE_CHECKING:
    from ppdet.core.config.load import Config
    from ppdet.engine.training.run import TrainingOptions
    from ppdet.engine.training.state import TrainingState

EXIT_AFTER_SIGNAL = {"SIGINT": 130, "SIGTERM": 143}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """PaddleDetection's flags."""
    add_config_flags(parser)
    add = parser.add_argument
    add("-r", "--resume", nargs="?", const="auto", metavar="CHECKPOINT",
        help="continue a run from this checkpoint; alone: from its newest")  # fmt: skip
    add_switch(parser, "--eval", "evaluate every snapshot_epoch epochs and keep the best model")
    add_switch(parser, "--amp", "mixed precision (GPU)")
    add_switch(parser, "--use_vdl", "write losses, rates and figures for VisualDL")
    add("--vdl_log_dir", default="vdl_log_dir/scalar", metavar="DIR", help="folder for them (default: %(default)s)")
    add("--folds", type=int, default=0, metavar="N",
        help="cross-validation: divide all labelled images into N parts, train N models, and give mean and spread of the figures")
    add("--folds_by", metavar="KEY",
        help="with --folds: key of the images whose values stay together, or `folder`, or `image` (default: found in the file)")
    add_switch(parser, "--save_prediction_only", "with --eval: write predictions, compute no figures")
    add_switch(parser, "--deterministic", "repeated runs are identical to the last bit; on a CPU with one thread unless "
                                          "cpu_threads is given (docs/training.md)")  # fmt: skip
    add_paddledet_flags(parser, TRAIN)


def run(args: argparse.Namespace) -> int:
    """Train; returns the exit status, 130 or 143 after a signal."""
    from ppdet.core.config.load import load_config
    from ppdet.engine.training.run import TrainingOptions, train

    switches = [name for name in ("save_prediction_only", "deterministic") if getattr(args, name)]
    changes = [*args.opt, *(f"{name}=true" for name in switches)]
    options = TrainingOptions(
        evaluate=args.eval,
        resume=args.resume,
        amp=args.amp,
        vdl_log_dir=args.vdl_log_dir if args.use_vdl else None,
        command=" ".join(sys.argv),
    )
    stop = _train_folds(args, changes, options) if args.folds else train(load_config(args.config, changes), options).stop
    return next((code for name, code in EXIT_AFTER_SIGNAL.items() if name in stop), 0)


def _train_folds(args: argparse.Namespace, changes: Sequence[str], options: TrainingOptions) -> str:
    """Cross-validation; returns the reason if it was interrupted."""
    from ppdet.core.errors import ConfigError
    from ppdet.engine.projects.folds import FoldsOptions, train_folds
    from ppdet.engine.training.run import train

    if args.resume not in (None, "auto"):
        raise ConfigError(f"--resume {args.resume} with --folds: give --resume alone; finished folds are kept, others go on")
    if args.save_prediction_only:
        raise ConfigError("--folds reports figures, and --save_prediction_only computes none; give one of them")

    def train_one(config: Config, resume: bool) -> TrainingState:
        return train(config, replace(options, evaluate=True, resume="auto" if resume else None))

    folds = FoldsOptions(args.folds, args.folds_by, resume=args.resume is not None)
    return str(train_folds(Path(args.config), changes, folds, train_one).get("stop", ""))


def main(argv: Optional[Sequence[str]] = None, prog: Optional[str] = None) -> int:
    return run_module(__name__, argv, prog)
