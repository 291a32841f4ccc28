"""Writes a plan as a config: plain YAML that states everything, with the reason for each choice in a comment."""

from __future__ import annotations

import json
import os
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List

import yaml

from ppdet.data.coco.persons import IMAGE
from ppdet.data.planning.crop_plan import WHOLE_PADDING
from ppdet.data.planning.plan import Plan
from ppdet.data.planning.radiograph_plan import radiograph_steps
from ppdet.data.planning.schedule_plan import FEWEST_ITERATIONS

WIDTH = 118
EPE_REASON = (
    "EPE, the mean distance in pixels, comes first and so selects the best model: with few images PCK soon reaches 1, and AP "
    "depends on the sigmas."
)
MILLIMETRES = " All images state their pixel spacing: MRE and SD are in millimetres, SDR is the share within 2, 2.5, 3 and 4 mm."
BUDGET_REASON = (
    "If this machine is slower or busy, the run has fewer epochs, so that it ends in time and at the lowest rate. To train "
    "longer, increase both the epochs (here and in CosineDecay) and the minutes."
)
RATE_REASON = (
    "Adam's rate: lower if the initial weights know most keypoints, which a high rate would undo. It falls to 0 along a "
    "cosine, so the last models are the most stable. The weights that are evaluated and saved are an average over about a "
    "twentieth of the run."
)
PRETRAINED = "tinypose_128x96"
PHOTO_STEPS: List[Any] = [
    {"TopDownAffine": {}},
    {"ColorJitter": {"brightness": 0.3, "contrast": 0.3, "saturation": 0.3, "hue": 0.02, "prob": 0.6}},
]


@dataclass(frozen=True)
class ProjectPaths:
    """Paths of a project.

    Attributes:
        config: the file that is written, for the commands in its head.
        annotations: folder of `train` and `val`, names of annotation files.
        images: folder of the images.
        runs: folder for the results of trainings.
    """

    config: Path
    annotations: Path
    train: str
    val: str
    images: Path
    runs: Path


def config_text(plan: Plan, paths: ProjectPaths, category: str, head: str) -> str:
    """The YAML.

    Args:
        plan: the settings.
        paths: of the project.
        category: name of the class.
        head: what the data are, for the first lines.
    """
    settings = [_run(plan, paths), _skeleton(plan), _model(plan), _schedule(plan), _data(plan, paths, category), _readers(plan)]
    return "\n".join([_head(head, paths), *settings])


def _comment(text: str, indent: int = 0) -> str:
    lead = " " * indent + "# "
    return "\n".join(textwrap.wrap(text, WIDTH, initial_indent=lead, subsequent_indent=lead, break_long_words=False)) + "\n"


def _flow(value: Any) -> str:
    """A value on one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**9, sort_keys=False)
    return text.strip().removesuffix("...").strip()


def _text(value: Any) -> str:
    """A string in double quotes, which YAML reads as JSON does."""
    return json.dumps(str(value), ensure_ascii=False)


def _head(head: str, paths: ProjectPaths) -> str:
    name = paths.config.name
    return (
        _comment(head) + "#\n" + _comment("Written by `ppdet dataset init`; every choice below can be changed by hand.") + "#\n"
        f"#     ppdet train -c {name}                     # best model, curves and log in {paths.runs.name}/{paths.config.stem}\n"
        f"#     ppdet eval -c {name}\n"
        f"#     ppdet infer -c {name} --infer_img IMAGE\n"
        f"#     ppdet export -c {name} --onnx\n"
        f"#     ppdet pose --model output_inference/{paths.config.stem} IMAGES_OR_VIDEO\n"
    )


def _run(plan: Plan, paths: ProjectPaths) -> str:
    schedule = plan.schedule
    workers = 2 if (os.cpu_count() or 1) > 2 else 1
    return (
        f"save_dir: {_text(paths.runs)}\n"
        "eval: true             # evaluate while training, so that the best model is kept\n"
        f"snapshot_epoch: {schedule.snapshot_epoch}\n"
        f"log_iter: {max(1, min(20, schedule.iterations // 20))}\n"
        f"worker_num: {workers}\n" + _operators(plan) + _comment(EPE_REASON + (MILLIMETRES if plan.millimetres else ""))
        + f"metric: [EPE, PCK@0.1, {'MRE, SD, SDR, ' if plan.millimetres else ''}AP]\nnum_classes: 1\n"
    )


def _operators(plan: Plan) -> str:
    if not plan.cpu_operators:
        return ""
    return (
        "cpu_operators: true    # C++ operators, compiled once: about twice as fast on a CPU, same results but for rounding\n"
        "cpu_threads: 1         # two are no faster for this network, and far slower beside other programs\n"
    )


def _skeleton(plan: Plan) -> str:
    skeleton, parts = plan.skeleton.value, plan.skeleton_parts
    text = _comment(f"{plan.skeleton.why}; {parts['links'].why}.")
    text += _comment(f"OKS sigmas, which only AP depends on: {parts['sigmas'].why}.")
    text += f"skeleton:\n  name: {_flow(skeleton.name)}\n  sigma_source: {_text(skeleton.sigma_source)}\n  keypoints:\n"
    for row in skeleton.to_dict()["keypoints"]:
        text += f"    - {_flow(row)}\n"
    text += f"  links: {_flow([list(pair) for pair in skeleton.link_names])}\n"
    return text


def _model(plan: Plan) -> str:
    width, height = plan.input_wh.value
    return (
        _comment("PP-TinyPose (a small Lite-HRNet): the network of the bundled weights, small enough for a CPU.")
        + "architecture: TopDownHRNet\nTopDownHRNet:\n  backbone: LiteHRNet\n  loss: KeyPointMSELoss\n"
        + f"  flip: {_flow(plan.mirror.value)}          # flip test: only if training mirrors, see below\n"
        + "LiteHRNet: {network_type: wider_naive, freeze_at: -1, freeze_norm: false, return_idx: [0]}\n"
        + "KeyPointMSELoss: {use_target_weight: true, loss_scale: 1.0}\n"
        + _comment(f"{plan.pretrain.why}.")
        + f"pretrain_weights: {PRETRAINED}\n"
        + "codec:\n  name: HeatmapCodec\n"
        + _comment(f"Width, height: {plan.input_wh.why}.", 2)
        + f"  input_wh: [{width}, {height}]\n"
        + _comment(f"In {plan.codec_sigma.why}.", 2)
        + f"  sigma: {plan.codec_sigma.value}\n"
        + "  target: subpixel\n  grid: stride\n  alignment: udp\n  decoder: dark\n  blur_kernel: 3\n"
    )


def _schedule(plan: Plan) -> str:
    schedule = plan.schedule
    speed = f"{schedule.images_per_s:.1f} crops per second ({schedule.how})"
    needed = schedule.crops / schedule.images_per_s / 60
    longer = f" With fewer, nothing would be learnt; these may take {needed:.0f} minutes." if needed > plan.minutes else ""
    repeats = f" An epoch shows each object {schedule.repeat} times (`repeat` below)." if schedule.repeat > 1 else ""
    return (
        _comment(f"{plan.minutes:g} minutes at {speed}: {schedule.crops} crops, {schedule.iterations} steps.{longer}{repeats}")
        + f"epoch: {schedule.epochs}\n"
        + _comment(BUDGET_REASON)
        + f"time_budget: {{minutes: {plan.minutes:g}, fewest_iterations: {min(FEWEST_ITERATIONS, schedule.iterations)}}}\n"
        + _comment(RATE_REASON)
        + f"LearningRate:\n  base_lr: {schedule.base_lr:.3g}\n  schedulers:\n"
        + f"    - !CosineDecay {{max_epochs: {schedule.epochs}}}\n"
        + f"    - !LinearWarmup {{start_factor: 0.01, steps: {schedule.warmup_steps}}}\n"
        + "OptimizerBuilder:\n  optimizer: {type: Adam}\n  regularizer: {type: L2, factor: 0.0}\n"
        + f"use_ema: true\nema_decay: {schedule.ema_decay}\nema_decay_type: threshold\n"
    )  # fmt: skip


def _data(plan: Plan, paths: ProjectPaths, category: str) -> str:
    dataset: Dict[str, Any] = {
        "dataset_dir": str(paths.annotations),
        "image_dir": str(paths.images),
        "category": category,
        "box": plan.box.value,
    }
    if plan.box.value == IMAGE:
        dataset["padding"] = WHOLE_PADDING
    if plan.exif_orientation != "auto":
        dataset["exif_orientation"] = plan.exif_orientation

    def rows(indent: int, anno: str) -> str:
        return "".join(
            f"{' ' * indent}{key}: {_text(value) if isinstance(value, str) else value}\n"
            for key, value in {**dataset, "anno_path": anno}.items()
        )

    train = (
        f"TrainDataset: !ConcatDataset\n  repeat: [{plan.schedule.repeat}]\n  datasets:\n    - !KeypointTopDownCocoDataset\n"
        + rows(6, paths.train)
        if plan.schedule.repeat > 1
        else "TrainDataset:\n  name: KeypointTopDownCocoDataset\n" + rows(2, paths.train)
    )
    exif = "exif_orientation: the labelling tool shows photos upright. " if plan.exif_orientation != "auto" else ""
    return (
        _comment(f"box: {plan.box.why}. {exif}")
        + train
        + "EvalDataset:\n  name: KeypointTopDownCocoDataset\n"
        + rows(2, paths.val)
        + "TestDataset:\n  name: ImageFolder\n"
    )


def _readers(plan: Plan) -> str:
    normalize = plan.normalization.value
    pixels = (
        "  batch_transforms:\n"
        f"    - NormalizeImage: {{mean: {_flow(normalize[0])}, std: {_flow(normalize[1])}, is_scale: true}}\n    - Permute: "
        f"{{}}\n"
    )
    return (
        _comment(f"Mirroring (flip): {_flow(plan.mirror.value)}. {plan.mirror.why}.")
        + _comment(f"Turns (rot, normal distribution in degrees): {plan.turn.why}.")
        + _radiograph_reasons(plan)
        + _comment(f"Mean and deviation: {plan.normalization.why}.")
        + "TrainReader:\n  sample_transforms:\n"
        + "".join(f"    - {_flow(step)}\n" for step in _augmentation(plan))
        + pixels
        + f"  batch_size: {plan.schedule.batch_size}\n  shuffle: true\n  drop_last: false\n"
        + "EvalReader:\n  sample_transforms:\n    - TopDownAffine: {}\n"
        + pixels
        + "  batch_size: 16\n"
        + "TestReader:\n  sample_transforms:\n    - Decode: {}\n    - TopDownEvalAffine: {}\n"
        + pixels
        + "  batch_size: 1\n"
    )


def _radiograph_reasons(plan: Plan) -> str:
    if not plan.radiographs.value:
        return _comment(f"Radiographs: false. {plan.radiographs.why}.")
    return _comment(
        f"Radiographs: true. {plan.radiographs.why}. Exposure, contrast, gamma and inversion vary as between devices, and "
        f"borders darken as under a collimator, never over a keypoint. Quarter turns: {plan.quarter_turns.why}."
    )


def _augmentation(plan: Plan) -> List[Any]:
    whole = plan.box.value == "image"
    return [
        {"TopDownRandomShiftBboxCenter": {"shift_prob": 0.5, "shift_factor": 0.06 if whole else 0.08}},
        {"RandomFlipHalfBodyTransform": {
            "scale": 0.2 if whole else 0.25, "rot": plan.turn.value, "rot_prob": 0.6, "num_joints_half_body": 8,
            "prob_half_body": 0.2 if plan.half_body else 0.0, "flip": plan.mirror.value,
        }},
        {"AugmentationbyInformantionDropping": {"prob_cutout": 0.3, "offset_factor": 0.05, "num_patch": 1}},
        *(radiograph_steps(plan.quarter_turns.value) if plan.radiographs.value else PHOTO_STEPS),
        {"EncodeHeatmap": {}},
    ]  # fmt: skip
