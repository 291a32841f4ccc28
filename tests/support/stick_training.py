"""A small training config over the drawn people of `pose_parts`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Optional

import paddle

from ppdet.core.config.load import load_config
from ppdet.engine.assembly import Assembly
from ppdet.engine.weights.checkpoint import save_pdparams
from support.pose_parts import write_config, write_people

TRAIN = """
epoch: 2
log_iter: 1
save_dir: {out}
TopDownHRNet:
  backbone: TwoConvs
  loss: KeyPointMSELoss
TrainDataset:
  name: KeypointTopDownCocoDataset
  dataset_dir: {data}
  image_dir: images
  anno_path: truth.json
TrainReader:
  sample_transforms:
    - TopDownAffine: {{}}
    - EncodeHeatmap: {{}}
  batch_transforms:
    - NormalizeImage: {{mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], is_scale: true}}
    - Permute: {{}}
  batch_size: 3
LearningRate: {{base_lr: 0.01, schedulers: [!CosineDecay {{max_epochs: 2}}]}}
OptimizerBuilder: {{regularizer: null, optimizer: {{type: Adam}}}}
"""


def stick_config(folder: Path, *options: str, data: Optional[Path] = None) -> Any:
    """The config of a student; two of the six people have no label of the right foot."""
    data = data or write_people(folder / "data")
    truth = json.loads((data / "truth.json").read_text())
    for entry in truth["annotations"][::3]:
        entry["keypoints"][6:] = [0, 0, 0]
    (data / "truth.json").write_text(json.dumps(truth))
    path = write_config(folder, data, "")
    base = path.read_text().replace("TopDownHRNet:\n  backbone: TwoConvs\n", "")
    path.write_text(base + TRAIN.format(out=folder / "out", data=data))
    return load_config(path, list(options))


def stick_weights(folder: Path, seed: int = 5) -> Any:
    """Weights of the student's own network."""
    paddle.seed(seed)
    model = Assembly(stick_config(folder)).model()
    model.final_conv.weight.set_value(model.final_conv.weight * 30)
    model.final_conv.bias.set_value(paddle.full([3], 1.0))  # heatmaps above 0: a teacher's are cut there
    save_pdparams(model.state_dict(), folder / "teacher.pdparams")
    return folder / "teacher.pdparams", model
