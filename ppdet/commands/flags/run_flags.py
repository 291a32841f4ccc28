"""Flags of commands that run exported models: sources, engines, poses.

Nothing heavy is imported here, so that `--help` is quick.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ppdet.commands.flags.format_flags import add_format_flags
from ppdet.commands.flags.tracking_flags import add_tracking_flags
from ppdet.commands.flags.values import (
    SMOOTHING_FILTERS,
    add_switch,
    camera_number,
    check_numbers,
    interval_value,
    smoothing_value,
)
from ppdet.core.errors import ConfigError
from ppdet.inference.presets import BALANCED, PRESETS, preset_of
from ppdet.inference.redetection.schedule import ADAPTIVE
from ppdet.inference.runtimes.model_files import is_light
from ppdet.inference.runtimes.registry import AUTO, runtime_devices, runtime_names, runtime_precisions

if TYPE_CHECKING:
    from ppdet.inference.model_card import ModelCard

CAMERA_VIDEO = "output.mp4"
"""Name of the drawn video of a camera, as in PaddleDetection."""


def add_source_flags(parser: argparse.ArgumentParser) -> None:
    """Flags for sources and the output folder."""
    group = parser.add_argument_group("input and output")
    group.add_argument("--image_file", help="one image")
    group.add_argument("--image_dir", help="all images of a folder")
    group.add_argument("--video_file", help="a video, or the URL of a stream")
    group.add_argument("--camera_id", type=camera_number, default=-1, metavar="NUMBER",
                       help="number of a camera, 0 for the first (default: none)")
    add_image_flags(group)
    group.add_argument("--output_dir", default="output", help="where results go (default: %(default)s)")


def add_image_flags(group: argparse._ActionsContainer) -> None:
    """Flags for reading image files."""
    add_switch(group, "--ignore_exif", "read images as stored, as the datasets of training and evaluation do, "
                                       "instead of rotating them by their EXIF orientation (default: off)")
    add_range_flag(group)


def add_range_flag(group: argparse._ActionsContainer) -> None:
    """Flag for the range of images with more than 8 bits."""
    group.add_argument("--image_range", type=float, nargs=2, metavar=("BLACK", "WHITE"),
                       help="values of images with more than 8 bits that become 0 and 255, e.g. 0 4095 (default: found from each "
                            "file, docs/data.md)")


def add_precision_flags(group: argparse._ActionsContainer, cpu_threads: int, name: str = "--engine") -> None:
    """Flags for the engine (called `name`), precision and threads."""
    group.add_argument(name, choices=(AUTO, *runtime_names()), default=AUTO,
                       help="auto takes the fastest that is installed and can read the model (default: %(default)s)")
    group.add_argument("--precision", choices=runtime_precisions(), default="fp32",
                       help="precision to compute in (default: %(default)s)")
    group.add_argument("--cpu_threads", type=int, default=cpu_threads,
                       help="threads of the networks (default: %(default)s)")


def add_engine_flags(parser: argparse.ArgumentParser, shape_range: Sequence[int] = (1, 1280, 640)) -> None:
    """Flags for running the networks."""
    group = parser.add_argument_group("engine")
    add_precision_flags(group, cpu_threads=1)
    group.add_argument("--device", type=str.lower, default="cpu", choices=runtime_devices(),
                       help="default: %(default)s")
    add_switch(group, "--use_gpu", "the same as --device gpu")
    group.add_argument("--run_mode", default="paddle", choices=("paddle", "trt_fp32", "trt_fp16", "trt_int8"),
                       help="TensorRT under --device gpu (default: %(default)s)")
    add_switch(group, "--enable_mkldnn", "oneDNN in Paddle Inference; Paddle 3.3 and later crash with it (default: off)")
    minimum, maximum, optimum = shape_range
    group.add_argument("--trt_min_shape", type=int, default=minimum, help="default: %(default)s")
    group.add_argument("--trt_max_shape", type=int, default=maximum, help="default: %(default)s")
    group.add_argument("--trt_opt_shape", type=int, default=optimum, help="default: %(default)s")
    add_switch(group, "--trt_calib_mode", "calibrate TensorRT int8 (default: off)")
    add_switch(group, "--run_benchmark", "print times of each stage and peak memory at the end")


def add_pose_flags(parser: argparse.ArgumentParser) -> None:
    """Flags for decoding, drawing and recording poses."""
    group = parser.add_argument_group("pose")
    add_switch(group, "--use_dark", "decode with DARK or, if false, a quarter offset (default: what the model's card says; "
                                    "true for models exported by PaddleDetection)", default=None)
    add_switch(group, "--flip_test", "average with the mirrored crop: slower, a little more accurate (default: off)")
    add_switch(group, "--paddledet_crop", "cut people out as PaddleDetection's scripts do, which loses parts of them at image "
                                          "borders; for comparison (default: off)")
    group.add_argument("--skeleton", help="coco17, mpii16, crowdpose14, aic14 or hand21 (default: the model's card)")
    group.add_argument("--json_layout", choices=("paddledet", "named"), default="paddledet",
                       help="nested lists as PaddleDetection writes, or names (default: %(default)s)")
    add_format_flags(group, "write the results in this format, instead of the JSON of --json_layout")
    add_smoothing_flags(group)
    add_tracking_flags(group)


def add_speed_flags(group: argparse._ActionsContainer) -> None:
    """Flags for speed against accuracy."""
    texts = "; ".join(f"{name}: {preset.help}" for name, preset in PRESETS.items())
    group.add_argument("--preset", choices=tuple(PRESETS), default=BALANCED, help=f"{texts} (default: %(default)s)")
    group.add_argument("--det_interval", type=interval_value, metavar="N",
                       help=f"run the detector on every N-th frame of a video, or {ADAPTIVE}: only when needed; in between, "
                            "people are expected where their last poses were (default: what --preset says)")


def chosen_interval(args: argparse.Namespace) -> int | str:
    """The interval that `--det_interval` or else `--preset` asks for."""
    given = getattr(args, "det_interval", None)
    return preset_of(getattr(args, "preset", BALANCED)).det_interval if given is None else given


def split_threads(args: argparse.Namespace, is_file: bool, pose_model: Path | None = None) -> int:
    """Divide `--cpu_threads`: the threads of one run of the pose network go to `args.engine_threads`, those of the detector to
    `args.detector_threads`.

    Args:
        args: parsed flags.
        is_file: the source is a video file, where several frames, or the people of one, can be worked on at the same time.
        pose_model: directory of a pose model that works in the boxes of people.

    Returns:
        How many workers, also as `args.workers`. Several workers of one thread are faster than one of several
        (docs/benchmarks.md), except where frames must wait for each other and a heavy network runs on few people.
    """
    is_heavy = pose_model is not None and not is_light(Path(pose_model))
    is_shared = is_file and args.device == "cpu" and not (is_heavy and chosen_interval(args) != 1)
    args.engine_threads, workers = (1, args.cpu_threads) if is_shared else (args.cpu_threads, 1)
    args.workers = workers
    # A detector that leaves out frames runs while all workers wait for it.
    args.detector_threads = args.engine_threads if chosen_interval(args) == 1 else args.cpu_threads
    return workers


def add_smoothing_flags(group: argparse._ActionsContainer) -> None:
    """Flags for smoothing keypoints over the frames of a video."""
    group.add_argument("--smooth", type=smoothing_value, nargs="?", const=True, default=False, metavar="FILTER",
                       help="smooth each person's keypoints over the frames of a video: OneEuro or EMA, frame by frame; "
                            "savgol or butterworth, of a file as a whole, without delay; alone: --filter_type (default: off)")
    group.add_argument("--filter_type", default="OneEuro", choices=SMOOTHING_FILTERS, help="for --smooth (default: %(default)s)")


def chosen_filter(args: argparse.Namespace) -> str | None:
    """The filter that `--smooth` and `--filter_type` ask for, or None."""
    if isinstance(args.smooth, str):
        return args.smooth
    return args.filter_type if args.smooth else None


def add_person_threshold(parser: argparse._ActionsContainer) -> None:
    """Flag for the smallest person score of bottom-up models."""
    parser.add_argument("--person_threshold", type=float, default=0.1,
                        help="people of a bottom-up model with a smaller mean keypoint score are left out, of the JSON too; 0 "
                             "keeps all (default: %(default)s)")


def check_flags(args: argparse.Namespace) -> None:
    """Check for contradictions before any work, and resolve flags that are aliases of others.

    Raises:
        ConfigError: no input or several, flags that exclude each other, numbers out of range.
    """
    given = [f"--{name} {getattr(args, name)}" for name in ("image_file", "image_dir", "video_file") if getattr(args, name)]
    given += [f"--camera_id {args.camera_id}"] if args.camera_id >= 0 else []
    if not given:
        raise ConfigError("nothing to run on: give --image_file, --image_dir, --video_file or --camera_id")
    if len(given) > 1:
        raise ConfigError(f"{' and '.join(given)} were given, but a run takes one source: leave out the others")
    if getattr(args, "use_gpu", False):
        args.device = "gpu"
    if getattr(args, "enable_mkldnn_bfloat16", False):
        args.enable_mkldnn, args.precision = True, "bf16"
    check_numbers(args)


def runtime_options(args: argparse.Namespace, card: ModelCard, batch_size: int) -> dict[str, Any]:
    """Arguments for `load_runtime` from parsed flags and the model's card."""
    return {
        "engine": args.engine, "device": args.device, "precision": args.precision,
        "cpu_threads": getattr(args, "engine_threads", args.cpu_threads), "run_mode": args.run_mode,
        "runs_at_once": getattr(args, "workers", 1), "is_brief": bool(getattr(args, "image_file", None)),
        "enable_mkldnn": bool(args.enable_mkldnn), "batch_size": batch_size,
        "trt_shape_range": (args.trt_min_shape, args.trt_opt_shape, args.trt_max_shape),
        "trt_calib_mode": bool(args.trt_calib_mode), "dynamic_shape": card.use_dynamic_shape,
    }
