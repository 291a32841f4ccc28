"""Command lines of the deployment scripts: PaddleDetection's flags and defaults, and ours after them.

Nothing heavy is imported here, so that `--help` is quick.
"""
from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ppdet.core.errors import ConfigError
from ppdet.inference.runtimes.registry import runtime_devices, runtime_names, runtime_precisions

if TYPE_CHECKING:
    from ppdet.inference.model_card import ModelCard

TRUE_WORDS = ("true", "1", "yes", "on")
FALSE_WORDS = ("false", "0", "no", "off")

# PaddleDetection's flags that belong to what this toolkit does not do. Given, they are refused instead of ignored.
REFUSED = {
    "multi-object tracking": ("save_mot_txts", "save_mot_txt_per_img", "scaled", "tracker_config", "reid_model_dir",
                              "reid_batch_size"),
    "action recognition": ("action_file", "window_size", "random_pad"),
    "sliced inference": ("slice_infer", "slice_size", "overlap_ratio", "combine_method", "match_threshold", "match_metric"),
    "tuned TensorRT shapes": ("collect_trt_shape_info", "tuned_trt_shape_file"),
    "FastDeploy's layout (an inference.yml is found by itself)": ("use_fd_format",),
    "COCO's category numbers": ("use_coco_category",),
    "tasks other than detection": ("task_type",),
}


def boolean(text: str) -> bool:
    """True or false in any of the spellings that people use.

    Raises:
        argparse.ArgumentTypeError: none of them.
    """
    word = text.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false: give one of {', '.join(TRUE_WORDS + FALSE_WORDS)}")


class _Refuse(argparse.Action):
    """A flag of PaddleDetection's that this toolkit cannot honour."""

    def __call__(self, parser: object, namespace: object, values: object, option_string: str | None = None) -> None:
        raise ConfigError(f"{option_string} is for {self.metavar}, which this toolkit does not do: leave it out")


def add_switch(group: argparse._ActionsContainer, name: str, default: bool | None, text: str) -> None:
    """Add a flag that may stand alone (`--flag`) or carry a value (`--flag True`, `--flag=0`)."""
    group.add_argument(name, type=boolean, nargs="?", const=True, default=default, metavar="BOOL", help=text)


def add_source_flags(parser: argparse.ArgumentParser) -> None:
    """What to run on and where to put results."""
    group = parser.add_argument_group("input and output")
    group.add_argument("--image_file", help="one image")
    group.add_argument("--image_dir", help="all images of a directory")
    group.add_argument("--video_file", help="a video")
    group.add_argument("--camera_id", type=int, default=-1, help="number of a camera, 0 for the first (default: none)")
    add_switch(group, "--ignore_exif", False, "take images as they are stored, as the datasets of training and evaluation do, "
                                              "instead of turned as their EXIF orientation says (default: off)")
    group.add_argument("--output_dir", default="output", help="where results go (default: %(default)s)")


def add_engine_flags(parser: argparse.ArgumentParser, shape_range: Sequence[int] = (1, 1280, 640)) -> None:
    """How to run the networks."""
    group = parser.add_argument_group("engine")
    group.add_argument("--engine", choices=("auto", *runtime_names()), default="auto",
                       help="auto takes the fastest that is installed and can read the model (default: %(default)s)")
    group.add_argument("--precision", choices=runtime_precisions(), default="fp32",
                       help="numbers to compute in (default: %(default)s)")
    group.add_argument("--device", type=str.lower, default="cpu", choices=runtime_devices(),
                       help="default: %(default)s")
    group.add_argument("--run_mode", default="paddle", choices=("paddle", "trt_fp32", "trt_fp16", "trt_int8"),
                       help="TensorRT under --device gpu (default: %(default)s)")
    group.add_argument("--cpu_threads", type=int, default=1, help="threads of the engine (default: %(default)s)")
    add_switch(group, "--enable_mkldnn", False, "oneDNN in Paddle Inference; Paddle 3.3 and later crash with it (default: off)")
    minimum, maximum, optimum = shape_range
    group.add_argument("--trt_min_shape", type=int, default=minimum, help="default: %(default)s")
    group.add_argument("--trt_max_shape", type=int, default=maximum, help="default: %(default)s")
    group.add_argument("--trt_opt_shape", type=int, default=optimum, help="default: %(default)s")
    add_switch(group, "--trt_calib_mode", False, "calibrate TensorRT int8 (default: off)")
    add_switch(group, "--run_benchmark", False, "print times of each stage and peak memory at the end")


def add_pose_flags(parser: argparse.ArgumentParser) -> None:
    """How to decode, draw and record poses."""
    group = parser.add_argument_group("pose")
    add_switch(group, "--use_dark", None, "decode with DARK or, if false, a quarter offset (default: what the model's card says; "
                                          "true for PaddleDetection's exports)")
    add_switch(group, "--flip_test", False, "average with the mirrored crop: slower, a little more accurate (default: off)")
    add_switch(group, "--paddledet_crop", False, "cut people out as PaddleDetection's scripts do, which loses parts of them at "
                                                 "image borders; for comparison (default: off)")
    group.add_argument("--skeleton", help="coco17, mpii16, crowdpose14, aic14 or hand21 (default: the model's card)")
    group.add_argument("--json_layout", choices=("paddledet", "named"), default="paddledet",
                       help="nested lists as PaddleDetection writes, or names (default: %(default)s)")
    add_switch(group, "--smooth", False, "smooth each person's keypoints over the frames of a video (default: off)")
    group.add_argument("--filter_type", default="OneEuro", choices=("OneEuro", "EMA"), help="for --smooth (default: %(default)s)")


def add_person_threshold(parser: argparse.ArgumentParser) -> None:
    """How sure a bottom-up model must be of a person."""
    parser.add_argument("--person_threshold", type=float, default=0.1,
                        help="people of a bottom-up model with a smaller mean keypoint score are left out, of the JSON too; 0 "
                             "keeps all (default: %(default)s)")


def unite_parser() -> argparse.ArgumentParser:
    """Flags of det_keypoint_unite_infer.py."""
    parser = argparse.ArgumentParser(description="Find people with a detector and estimate the pose of each.")
    parser.add_argument("--det_model_dir", required=True, help="directory of an exported detector")
    parser.add_argument("--keypoint_model_dir", required=True, help="directory of an exported top-down pose model")
    add_source_flags(parser)
    parser.add_argument("--det_threshold", type=float, default=0.5,
                        help="smallest score of a person's box (default: %(default)s)")
    parser.add_argument("--keypoint_threshold", type=float, default=0.5,
                        help="smallest score that is drawn; the JSON has them all (default: %(default)s)")
    parser.add_argument("--keypoint_batch_size", type=int, default=8,
                        help="people in one run of the network (default: %(default)s)")
    add_switch(parser, "--save_res", False, "also write the poses as JSON into --output_dir")
    add_pose_flags(parser)
    add_engine_flags(parser)
    return parser


def single_parser(description: str) -> argparse.ArgumentParser:
    """Flags that infer.py and keypoint_infer.py share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model_dir", required=True, help="directory of an exported model")
    add_source_flags(parser)
    parser.add_argument("--batch_size", type=int, default=1, help="images in one run of the network (default: %(default)s)")
    parser.add_argument("--threshold", type=float, default=0.5,
                        help="smallest score that is drawn; the JSON of --save_results has them all (default: %(default)s)")
    add_switch(parser, "--save_images", True, "write the pictures with results drawn on them (default: on)")
    add_switch(parser, "--save_results", False, "also write the results as JSON into --output_dir; infer.py: bbox.json, "
                                                "a list of boxes with image_id (of a video: frame) and file_name")
    add_engine_flags(parser)
    add_switch(parser, "--enable_mkldnn_bfloat16", False, "the same as --enable_mkldnn --precision bf16")
    add_switch(parser, "--use_gpu", False, "PaddleDetection's old spelling of --device gpu; refused, as there")
    for purpose, names in REFUSED.items():
        for name in names:
            parser.add_argument(f"--{name}", nargs="*", action=_Refuse, metavar=purpose, help=argparse.SUPPRESS)
    return parser


def detector_parser() -> argparse.ArgumentParser:
    """Flags of infer.py."""
    parser = single_parser("Find boxes with an exported detector.")
    parser.add_argument("--save_threshold", type=float, default=0.0,
                        help="smallest score that goes into --save_results' bbox.json, whatever --threshold draws and counts. "
                             "The default keeps all that the detector puts out, which evaluation from a bbox_file needs "
                             "(default: %(default)s)")
    return parser


def check_flags(args: argparse.Namespace) -> None:
    """Refuse contradictions before any work.

    Raises:
        ConfigError: no input or several, flags that exclude each other, numbers out of range.
    """
    given = [f"--{name} {getattr(args, name)}" for name in ("image_file", "image_dir", "video_file") if getattr(args, name)]
    given += [f"--camera_id {args.camera_id}"] if args.camera_id >= 0 else []
    if not given:
        raise ConfigError("nothing to run on: give --image_file, --image_dir, --video_file or --camera_id")
    if len(given) > 1:
        raise ConfigError(f"{' and '.join(given)} were given, and one run takes one of them: leave out the others")
    if getattr(args, "use_gpu", False):
        raise ConfigError("--use_gpu is PaddleDetection's old flag: use --device gpu")
    if getattr(args, "enable_mkldnn_bfloat16", False):
        args.enable_mkldnn, args.precision = True, "bf16"
    for name in ("batch_size", "keypoint_batch_size", "cpu_threads"):
        if getattr(args, name, 1) < 1:
            raise ConfigError(f"--{name} is {getattr(args, name)}: give 1 or more")
    for name in ("threshold", "det_threshold", "keypoint_threshold", "save_threshold", "person_threshold"):
        if not 0 <= getattr(args, name, 0.5) <= 1:
            raise ConfigError(f"--{name} is {getattr(args, name)}: scores lie between 0 and 1, so give a number from 0 to 1")


def runtime_options(args: argparse.Namespace, card: ModelCard, batch_size: int) -> dict[str, object]:
    """Arguments for `load_runtime` from parsed flags and the model's card."""
    return {
        "engine": args.engine, "device": args.device, "cpu_threads": args.cpu_threads, "precision": args.precision,
        "run_mode": args.run_mode, "enable_mkldnn": bool(args.enable_mkldnn), "batch_size": batch_size,
        "trt_shape_range": (args.trt_min_shape, args.trt_opt_shape, args.trt_max_shape),
        "trt_calib_mode": bool(args.trt_calib_mode), "dynamic_shape": card.use_dynamic_shape,
    }
