"""Train a model: python tools/train.py -c configs/keypoint/tiny_pose/tinypose_128x96.yml --eval"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.core.command import run_command  # noqa: E402

EXIT_AFTER_SIGNAL = {"SIGINT": 130, "SIGTERM": 143}


def parse_args() -> argparse.Namespace:
    """PaddleDetection's flags, as far as they mean something here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("-c", "--config", required=True, help="configuration (YAML)")
    add("-o", "--opt", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="change the configuration")
    add("-r", "--resume", nargs="?", const="auto", help="continue a run from this checkpoint; alone: from its newest")
    add("--eval", action="store_true", help="evaluate every snapshot_epoch epochs and keep the best model")
    add("--amp", action="store_true", help="mixed precision (GPU)")
    add("--use_vdl", type=_truth, nargs="?", const=True, default=False, help="write scalars for VisualDL")
    add("--vdl_log_dir", default="vdl_log_dir/scalar", help="folder for them (default: %(default)s)")
    add("--save_prediction_only", action="store_true", help="with --eval: write predictions, compute no figures")
    add("--enable_ce", type=_truth, nargs="?", const=True, default=False, help="accepted; runs are always seeded")
    return parser.parse_args()


def _truth(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise argparse.ArgumentTypeError(f"expected true or false, got {text!r}")
    return text.lower() in ("true", "1")


def main() -> int:
    """Parse, load, train."""
    args = parse_args()
    from ppdet.core.config.load import load_config
    from ppdet.engine.training.run import TrainingOptions, train

    options = [*args.opt, "save_prediction_only=true"] if args.save_prediction_only else args.opt
    state = train(
        load_config(args.config, options),
        TrainingOptions(
            evaluate=args.eval,
            resume=args.resume,
            amp=args.amp,
            vdl_log_dir=args.vdl_log_dir if args.use_vdl else None,
            command=" ".join(sys.argv),
        ),
    )
    return next((code for name, code in EXIT_AFTER_SIGNAL.items() if name in state.stop), 0)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
