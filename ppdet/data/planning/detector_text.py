"""Writes the config of a detector for a class that no bundled detector finds, beside the pose model's config."""

from __future__ import annotations

import json
from pathlib import Path

from ppdet.data.coco.persons import IMAGE
from ppdet.data.planning.config_text import ProjectPaths
from ppdet.data.planning.plan import Plan
from ppdet.data.planning.schedule_plan import EVALUATIONS, budget_seconds

BASE = Path("picodet", "bundled", "picodet_s_320_person.yml")
PRETRAINED = "picodet_s_320_person"
IMAGES_PER_S = 6.0
"""Training speed of PicoDet-S at 320 pixels on two cores (docs/bundled_models.md: 8,300 views of 256 pixels in 17 minutes)."""
BATCH = 8
BASE_LR = 0.01
FEWEST_EPOCHS, MOST_EPOCHS = 5, 300


def needs_detector(plan: Plan) -> bool:
    """Whether a pose model needs boxes of a class that the bundled person detector does not find."""
    return plan.box.value != IMAGE and not plan.shows_people


def detector_text(plan: Plan, paths: ProjectPaths, configs: Path, num_images: int, category: str) -> str:
    """The YAML.

    Args:
        plan: of the pose model, for its time budget.
        paths: of the pose model; the detector trains on the same files.
        configs: folder of the shipped configs.
        num_images: for training.
        category: name of the class.
    """
    batch = min(BATCH, num_images)
    epochs = int(min(max(budget_seconds(plan.minutes) * IMAGES_PER_S / num_images, FEWEST_EPOCHS), MOST_EPOCHS))
    steps = max(1, epochs * (num_images // batch))
    fewest = FEWEST_EPOCHS * max(1, num_images // batch)
    name = f"{paths.config.stem}_detector"

    def dataset(anno: str) -> str:
        folders = f"  dataset_dir: {_text(paths.annotations)}\n  image_dir: {_text(paths.images)}\n"
        return f"{folders}  anno_path: {_text(anno)}\n"

    return f"""# Detector of {category} for the pose model of {paths.config.name}: PicoDet-S, from the bundled person detector.
#
#     ppdet train -c {name}.yml
#     ppdet export -c {name}.yml --onnx
#     ppdet pose --model output_inference/{paths.config.stem} --det output_inference/{name} IMAGES_OR_VIDEO
#
# {plan.minutes:g} minutes at {IMAGES_PER_S:g} images per second (estimated for two cores), at least {FEWEST_EPOCHS} passes.
# Boxes come from the pose model's files; where none were drawn, they are the extent of the keypoints.
_BASE_: {_text(configs / BASE)}
save_dir: {_text(paths.runs)}
eval: true
epoch: {epochs}
time_budget: {{minutes: {plan.minutes:g}, fewest_iterations: {fewest}}}
snapshot_epoch: {max(1, epochs // EVALUATIONS)}
log_iter: {max(1, min(20, steps // 20))}
worker_num: 1
pretrain_weights: {PRETRAINED}
num_classes: 1
TrainDataset: !COCODataSet
{dataset(paths.train)}  data_fields: [image, gt_bbox, gt_class, is_crowd]
EvalDataset: !COCODataSet
{dataset(paths.val)}TestDataset: !ImageFolder
{dataset(paths.val)}TrainReader:
  batch_size: {batch}
LearningRate:
  base_lr: {BASE_LR}
  schedulers:
    - name: CosineDecay
      max_epochs: {epochs}
    - name: LinearWarmup
      start_factor: 0.1
      steps: {max(1, min(100, steps // 10))}
PicoHeadV2:
  static_assigner_epoch: {max(1, epochs // 4)}
"""


def _text(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)
