"""Flags of PaddleDetection 2.4 to 2.6: tools/train.py, eval.py, infer.py, export_model.py."""

from __future__ import annotations

from ppdet.commands.flags.foreign import NO_EFFECT, REFUSED, SAME, PaddleDetFlag

_SLIM = (
    "PaddleSlim's quantisation, pruning and distillation are not part of this toolkit: leave it out. For a smaller network learn "
    "from a teacher (key `teacher`, docs/training.md), for a faster one export with --onnx and run it with --precision bf16"
)
_SLICES = "it belongs to --slice_infer, which is refused"
_CONFIG = (
    PaddleDetFlag("--config", None, SAME, "the configuration (-c)"),
    PaddleDetFlag("--opt", None, SAME, "changes of the configuration (-o key=value ...)"),
)
_SLICING = (
    PaddleDetFlag("--slice_infer", False, REFUSED,
                  "slicing an image into tiles for small objects is not part of this toolkit: leave it out, and take a detector "
                  "with a larger input (PicoDet 416) or cut the images beforehand"),  # fmt: skip
    PaddleDetFlag("--slice_size", [640, 640], NO_EFFECT, _SLICES),
    PaddleDetFlag("--overlap_ratio", [0.25, 0.25], NO_EFFECT, _SLICES),
    PaddleDetFlag("--combine_method", "nms", NO_EFFECT, _SLICES),
    PaddleDetFlag("--match_threshold", 0.6, NO_EFFECT, _SLICES),
    PaddleDetFlag("--match_metric", "ios", NO_EFFECT, _SLICES),
)

TRAIN = (
    *_CONFIG,
    PaddleDetFlag("--resume", None, SAME, "continue a run (-r); alone it takes the newest checkpoint of the run"),
    PaddleDetFlag("--eval", False, SAME, "evaluate every snapshot_epoch epochs and keep the best model"),
    PaddleDetFlag("--slim_config", None, REFUSED, _SLIM),
    PaddleDetFlag("--enable_ce", False, NO_EFFECT, "every run is seeded, by the key `seed` (0 by default)"),
    PaddleDetFlag("--amp", False, SAME, "mixed precision on a GPU; amp_level and related settings are keys of the configuration"),
    PaddleDetFlag("--fleet", False, NO_EFFECT,
                  "python -m paddle.distributed.launch tools/train.py is all that several processes need"),  # fmt: skip
    PaddleDetFlag("--use_vdl", False, SAME, "write losses, learning rate and figures for VisualDL"),
    PaddleDetFlag("--vdl_log_dir", "vdl_log_dir/scalar", SAME, "folder for them"),
    PaddleDetFlag("--use_wandb", False, REFUSED,
                  "nothing is sent to Weights & Biases from here: use --use_vdl, which writes the same figures to a folder"),
    PaddleDetFlag("--save_prediction_only", False, SAME, "with --eval: write the predictions, compute no figures"),
    PaddleDetFlag("--profiler_options", None, REFUSED,
                  "the profiler of the training loop is not part of this toolkit: python tools/benchmark.py train -c CONFIG "
                  "measures images/s and memory, and every log line has batch_cost and data_cost"),  # fmt: skip
    PaddleDetFlag("--save_proposals", False, REFUSED, "proposals belong to SNIPER detectors, which this toolkit does not have"),
    PaddleDetFlag("--proposals_path", "sniper/proposals.json", NO_EFFECT, "proposals belong to SNIPER detectors"),
    PaddleDetFlag("--to_static", False, NO_EFFECT,
                  "training runs in dynamic graph mode either way, with the same result; export makes the static graph"),
)  # fmt: skip

EVAL = (
    *_CONFIG,
    PaddleDetFlag("--output_eval", None, SAME, "folder of the predictions, for top-down models as well"),
    PaddleDetFlag("--json_eval", False, SAME, "score the predictions in --output_eval again; for keypoints as well"),
    PaddleDetFlag("--slim_config", None, REFUSED, _SLIM),
    PaddleDetFlag("--bias", False, SAME, "add 1 to widths and heights of a detector's boxes; keypoints do not use it"),
    PaddleDetFlag("--classwise", False, SAME, "also the AP of each category of a detector; a keypoint model has one category"),
    PaddleDetFlag("--save_prediction_only", False, SAME, "write the predictions, compute no figures"),
    PaddleDetFlag("--amp", False, SAME, "mixed precision on a GPU"),
    *_SLICING,
)

INFER = (
    *_CONFIG,
    PaddleDetFlag("--infer_dir", None, SAME, "a folder of images"),
    PaddleDetFlag("--infer_list", None, SAME, "a text file with one image per line"),
    PaddleDetFlag("--infer_img", None, SAME, "one image"),
    PaddleDetFlag("--output_dir", "output", SAME, "folder of the results"),
    PaddleDetFlag("--draw_threshold", 0.5, SAME, "smallest score that is drawn"),
    PaddleDetFlag("--save_threshold", 0.5, SAME, "smallest score of a box in bbox.json"),
    PaddleDetFlag("--slim_config", None, REFUSED, _SLIM),
    PaddleDetFlag("--use_vdl", False, SAME, "write each image and its result for VisualDL"),
    PaddleDetFlag("--vdl_log_dir", "vdl_log_dir/image", SAME, "folder for them"),
    PaddleDetFlag("--do_eval", False, SAME, "evaluate on the EvalDataset after the predictions"),
    PaddleDetFlag("--save_results", False, SAME, "write keypoint.json or bbox.json"),
    PaddleDetFlag("--save_txt", False, SAME, "one text file per image; in PaddleDetection's README, though not in its parser"),
    *_SLICING,
    PaddleDetFlag("--visualize", True, SAME, "write the drawn images"),
    PaddleDetFlag("--rtn_im_file", False, NO_EFFECT, "every result names its image file already"),
)

EXPORT = (
    *_CONFIG,
    PaddleDetFlag("--output_dir", "output_inference", SAME, "parent of the exported folder"),
    PaddleDetFlag("--export_serving_model", False, REFUSED,
                  "Paddle Serving's client and server files are not written: leave it out; your own service can load the "
                  "exported folder with PosePipeline(detector, keypoint) (docs/deploy.md)"),
    PaddleDetFlag("--slim_config", None, REFUSED, _SLIM),
    PaddleDetFlag("--for_fd", False, SAME, "FastDeploy's layout: inference.* directly in --output_dir"),
)  # fmt: skip
