"""Flags of PaddleDetection 2.4 to 2.6: deploy/python."""

from __future__ import annotations

from ppdet.commands.flags.foreign import NO_EFFECT, REFUSED, SAME, PaddleDetFlag

_TRACKS = (
    "it is not part of this command: leave it out; people of a video get identities here anyway, which --json_layout named "
    "writes, and mot_keypoint_unite_infer.py --save_mot_txts as text"
)
_ACTIONS = "action recognition is not part of this toolkit: leave it out"
_SHAPES = "collecting and reusing TensorRT shape files is not part of this toolkit: leave it out and give --trt_*_shape"
_SLICES = "it belongs to --slice_infer, which is refused"

_SOURCES = (
    PaddleDetFlag("--image_file", None, SAME, "one image"),
    PaddleDetFlag("--image_dir", None, SAME, "all images of a folder"),
    PaddleDetFlag("--video_file", None, SAME, "a video"),
    PaddleDetFlag("--camera_id", -1, SAME, "number of a camera"),
    PaddleDetFlag("--output_dir", "output", SAME, "where results go; the JSON as well, which PaddleDetection puts elsewhere"),
)
_ENGINE = (
    PaddleDetFlag("--run_mode", "paddle", SAME, "TensorRT under --device gpu: trt_fp32, trt_fp16, trt_int8"),
    PaddleDetFlag("--device", "cpu", SAME, "cpu, gpu, xpu, npu, mlu, in any case"),
    PaddleDetFlag("--use_gpu", False, SAME, "the same as --device gpu (PaddleDetection refuses it)"),
    PaddleDetFlag("--run_benchmark", False, SAME, "print times of each stage and peak memory"),
    PaddleDetFlag("--enable_mkldnn", False, SAME, "oneDNN in Paddle Inference"),
    PaddleDetFlag("--cpu_threads", 1, SAME, "threads of the engine"),
    PaddleDetFlag("--trt_min_shape", 1, SAME, "smallest side for TensorRT"),
    PaddleDetFlag("--trt_max_shape", 1280, SAME, "largest side for TensorRT"),
    PaddleDetFlag("--trt_opt_shape", 640, SAME, "optimum side for TensorRT"),
    PaddleDetFlag("--trt_calib_mode", False, SAME, "calibrate TensorRT int8"),
    PaddleDetFlag("--use_fd_format", False, NO_EFFECT, "an inference.yml (FastDeploy's layout) is found by itself"),
)
_FOREIGN = (
    PaddleDetFlag("--save_mot_txts", False, REFUSED, _TRACKS),
    PaddleDetFlag("--save_mot_txt_per_img", False, REFUSED, _TRACKS),
    PaddleDetFlag("--scaled", False, NO_EFFECT, "it is for JDE trackers"),
    PaddleDetFlag("--reid_model_dir", None, REFUSED, _TRACKS),
    PaddleDetFlag("--reid_batch_size", 50, NO_EFFECT, "it belongs to --reid_model_dir, which is refused"),
    PaddleDetFlag("--action_file", None, REFUSED, _ACTIONS),
    PaddleDetFlag("--window_size", 50, NO_EFFECT, "it belongs to --action_file, which is refused"),
    PaddleDetFlag("--random_pad", False, NO_EFFECT, "it belongs to --action_file, which is refused"),
    PaddleDetFlag("--use_coco_category", False, REFUSED,
                  "category ids of bbox.json are class number + 1 here: leave it out, and map the ids when you evaluate"),
    PaddleDetFlag("--slice_infer", False, REFUSED,
                  "slicing an image into tiles for small objects is not part of this toolkit: leave it out, and take a detector "
                  "with a larger input (PicoDet 416) or cut the images beforehand"),
    PaddleDetFlag("--slice_size", [640, 640], NO_EFFECT, _SLICES),
    PaddleDetFlag("--overlap_ratio", [0.25, 0.25], NO_EFFECT, _SLICES),
    PaddleDetFlag("--combine_method", "nms", NO_EFFECT, _SLICES),
    PaddleDetFlag("--match_threshold", 0.6, NO_EFFECT, _SLICES),
    PaddleDetFlag("--match_metric", "ios", NO_EFFECT, _SLICES),
    PaddleDetFlag("--collect_trt_shape_info", False, REFUSED, _SHAPES),
    PaddleDetFlag("--tuned_trt_shape_file", "shape_range_info.pbtxt", NO_EFFECT, _SHAPES),
    PaddleDetFlag("--task_type", "Detection", REFUSED, "only detection is done here: leave it out"),
)  # fmt: skip
_SINGLE = (
    PaddleDetFlag("--model_dir", None, SAME, "folder of an exported model"),
    *_SOURCES,
    PaddleDetFlag("--batch_size", 1, SAME, "images per run of the network"),
    PaddleDetFlag("--threshold", 0.5, SAME, "smallest score that is drawn"),
    *_ENGINE,
    PaddleDetFlag("--enable_mkldnn_bfloat16", False, SAME, "the same as --enable_mkldnn --precision bf16"),
    PaddleDetFlag("--save_images", True, SAME, "write the images with results drawn on them"),
    PaddleDetFlag("--save_results", False, SAME, "also write the results as JSON"),
    *_FOREIGN,
)
_DARK = PaddleDetFlag("--use_dark", True, SAME, "decode with DARK; without the flag the model's card decides, which is true for "
                                                "models exported by PaddleDetection")  # fmt: skip

_TRACKER = PaddleDetFlag("--tracker_config", None, SAME, "settings of the tracker: this toolkit's YAML or PaddleDetection's, "
                                                         "whose keys are translated (docs/tracking.md)")  # fmt: skip

DETECTOR = (
    *_SINGLE,
    PaddleDetFlag("--tracker_config", None, REFUSED, _TRACKS),
    PaddleDetFlag("--use_dark", True, NO_EFFECT, "a detector has no keypoints"),
)
KEYPOINT = (*_SINGLE, _TRACKER, _DARK)
UNITE = (
    PaddleDetFlag("--det_model_dir", None, SAME, "folder of an exported detector"),
    PaddleDetFlag("--keypoint_model_dir", None, SAME, "folder of an exported top-down pose model"),
    *_SOURCES,
    PaddleDetFlag("--keypoint_batch_size", 8, SAME, "people per run of the pose network"),
    PaddleDetFlag("--det_threshold", 0.5, SAME, "smallest score of a person's box"),
    PaddleDetFlag("--keypoint_threshold", 0.5, SAME, "smallest score that is drawn"),
    *_ENGINE,
    _DARK,
    PaddleDetFlag("--save_res", False, SAME, "also write the poses as JSON"),
    PaddleDetFlag("--smooth", False, SAME, "smooth keypoints over a video; for any number of people (PaddleDetection: for one)"),
    PaddleDetFlag("--filter_type", "OneEuro", SAME, "OneEuro or EMA, for --smooth"),
    _TRACKER,
    *_FOREIGN,
)
MOT_UNITE = (
    PaddleDetFlag("--mot_model_dir", None, SAME, "folder of an exported FairMOT, with its own tracker, or of a detector, whose "
                                                 "people this toolkit's tracker follows; JDE networks are refused"),
    PaddleDetFlag("--keypoint_model_dir", None, SAME, "folder of an exported pose model; not needed for boxes and identities"),
    *_SOURCES,
    PaddleDetFlag("--keypoint_batch_size", 1, SAME, "people per run of the pose network"),
    PaddleDetFlag("--mot_threshold", 0.5, SAME, "smallest score of a person's box; in videos a FairMOT uses its conf_thres, "
                                               "as in PaddleDetection"),
    PaddleDetFlag("--keypoint_threshold", 0.5, SAME, "smallest score that is drawn"),
    *(flag for flag in _ENGINE if flag.name not in ("--use_gpu", "--use_fd_format", "--trt_max_shape", "--trt_opt_shape")),
    PaddleDetFlag("--trt_max_shape", 1088, SAME, "largest side for TensorRT"),
    PaddleDetFlag("--trt_opt_shape", 608, SAME, "optimum side for TensorRT"),
    _DARK,
    PaddleDetFlag("--save_images", False, NO_EFFECT, "drawings are always written"),
    PaddleDetFlag("--save_mot_txts", False, SAME, "boxes and identities of a video as text, not written by PaddleDetection; "
                                                  "frames count from 1"),
    PaddleDetFlag("--save_res", False, SAME, "also write the poses as JSON, those of a video with identities"),
    _TRACKER,
)
