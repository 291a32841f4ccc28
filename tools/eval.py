"""Evaluate weights: python tools/eval.py -c configs/keypoint/tiny_pose/tinypose_128x96.yml -o weights=FILE.pdparams

Keypoint configs give OKS AP, detector configs box AP. Without flip test: -o TopDownHRNet.flip=false. With exactly
PaddleDetection's un-warp and flip shift: -o paddledet_exact=true. With annotated and with a detector's boxes, side by
side: --boxes gt det -o EvalDataset.bbox_file=FILE. What the mean pose of the training set scores, without a model:
--baseline mean_pose. Bottom-up models without flip test: -o HigherHRNet.eval_flip=false; at several scales:
-o test_scales=[0.5,1,2]. See docs/evaluation.md and docs/bottom_up.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.core.command import run_command  # noqa: E402
from ppdet.core.errors import ConfigError  # noqa: E402
from ppdet.inference.runtimes.registry import runtime_names, runtime_precisions  # noqa: E402


def parse_args() -> argparse.Namespace:
    """PaddleDetection's flags, as far as they mean something here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("-c", "--config", required=True, help="configuration (YAML)")
    add("-o", "--opt", nargs="*", action="extend", default=[], metavar="KEY=VALUE", help="change the configuration")
    add("--output_eval", metavar="DIR", help="write the predictions there (keypoints_results.json or bbox.json)")
    add("--json_eval", action="store_true", help="score the predictions in --output_eval again, without a model")
    add("--save_prediction_only", action="store_true", help="write the predictions, compute no figures")
    add("--boxes", nargs="+", choices=["gt", "gt_select", "det"], metavar="SOURCE",
        help="one table over sources of person boxes: gt (annotated), det (EvalDataset.bbox_file), gt_select (annotated, "
        "filtered as the Fluid release did)")  # fmt: skip
    add("--baseline", choices=["mean_pose"], help="score the training set's mean pose in each box instead of a model")
    add("--amp", action="store_true", help="mixed precision (GPU)")
    deployed = parser.add_argument_group("an exported model instead of weights")
    deployed.add_argument("--model_dir", help="exported folder")
    deployed.add_argument("--engine", default="auto", choices=["auto", *runtime_names()])
    deployed.add_argument("--precision", default="fp32", choices=runtime_precisions(), help="default: %(default)s")
    deployed.add_argument("--cpu_threads", type=int, default=2, help="default: %(default)s")
    return parser.parse_args()


def main() -> None:
    """Parse, load, evaluate."""
    args = parse_args()
    if args.boxes and (args.json_eval or args.save_prediction_only):
        raise ConfigError("--boxes computes figures of a model: leave out --json_eval and --save_prediction_only")
    if args.baseline and (args.boxes or args.json_eval or args.model_dir or args.amp):
        raise ConfigError("--baseline needs no model: leave out --boxes, --json_eval, --model_dir and --amp")
    if not args.model_dir and (args.engine, args.precision) != ("auto", "fp32"):
        raise ConfigError("--engine and --precision are those of an exported model: give its folder as --model_dir, or leave "
                          "them out")
    from ppdet.core.config.load import load_config

    options = [*args.opt, "save_prediction_only=true"] if args.save_prediction_only else args.opt
    if args.baseline:
        from ppdet.engine.evaluation.mean_pose import evaluate_mean_pose

        evaluate_mean_pose(load_config(args.config, options), args.output_eval)
        return
    from ppdet.engine.evaluation.evaluator import evaluate

    exported = None
    if args.model_dir:
        exported = {name: getattr(args, name) for name in ("model_dir", "engine", "precision", "cpu_threads")}
    if args.boxes:
        from ppdet.engine.evaluation.box_sources import compare_boxes

        compare_boxes(args.config, options, args.boxes, args.output_eval, args.amp, exported)
        return
    evaluate(load_config(args.config, options), args.output_eval, args.amp, args.json_eval, exported)


if __name__ == "__main__":
    raise SystemExit(run_command(main))
