"""Measure: the unite pipeline on videos, a network by engine, grouping, training steps, and --help of every command.

Figures in docs/benchmarks.md come from here. Engines are compared within one run; the machine's own speed cancels out of ratios.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ppdet.core.command import run_command
from ppdet.inference.runtimes.registry import runtime_names, runtime_precisions

ENGINES = sorted(runtime_names(), key=lambda name: name != "paddle")  # ratios are to Paddle Inference


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)

    unite = kinds.add_parser("unite", help="seconds, frames/s and peak memory of the whole unite command")
    unite.add_argument("--det_model_dir", required=True)
    unite.add_argument("--keypoint_model_dir", required=True)
    unite.add_argument("--video_file", nargs="+", required=True)
    unite.add_argument("--engines", nargs="+", default=ENGINES)
    unite.add_argument("--cpu_threads", type=int, default=2)

    network = kinds.add_parser("network", help="milliseconds of an exported network alone, engine beside engine")
    network.add_argument("--model_dir", required=True)
    network.add_argument("--engines", nargs="+", default=ENGINES)
    network.add_argument("--cpu_threads", type=int, default=2)
    network.add_argument("--batches", nargs="+", type=int, default=[1, 8])
    network.add_argument("--repeats", type=int, default=40)
    network.add_argument("--precision", default="fp32", choices=runtime_precisions())

    train = kinds.add_parser("train", help="images/s and peak memory of training iterations; under paddle.distributed.launch too")
    train.add_argument("-c", "--config", required=True)
    train.add_argument("-o", "--opt", nargs="*", action="extend", default=[], metavar="KEY=VALUE")
    train.add_argument("--iterations", type=int, default=8)

    group = kinds.add_parser("group", help="milliseconds of bottom-up grouping beside the plain reference of the tests")
    group.add_argument("--people", nargs="+", type=int, default=[5, 30, 100])
    group.add_argument("--repeats", type=int, default=20)

    kinds.add_parser("help", help="seconds of --help for each command")
    return parser


def _train(args: argparse.Namespace) -> int:
    from ppdet.core.config.load import load_config
    from ppdet.engine import distributed
    from ppdet.engine.benchmarks.training_speed import measure_training

    speed = measure_training(load_config(args.config, args.opt), iterations=args.iterations)
    if distributed.is_main():
        print(speed)
    return 0


def main() -> int:
    args = _parser().parse_args()
    if args.kind == "train":
        return _train(args)
    from ppdet.engine.benchmarks import benchmark

    if args.kind == "unite":
        rows = benchmark.unite_rows(
            args.det_model_dir, args.keypoint_model_dir, args.video_file, args.engines, args.cpu_threads
        )
        header = ["video", "engine", "seconds", "frames/s", "peak MiB"]
    elif args.kind == "network":
        rows = benchmark.network_rows(
            args.model_dir, args.engines, args.cpu_threads, args.batches, args.repeats, args.precision
        )
        header = ["engine", "precision", "batch", "median ms", "ms per crop"]
    elif args.kind == "group":
        from ppdet.engine.benchmarks import grouping

        rows = grouping.group_rows(args.people, args.repeats)
        header = grouping.HEADER
    else:
        rows = benchmark.help_rows()
        header = ["command", "seconds"]
    for line in benchmark.markdown_table(header, rows):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(run_command(main))
