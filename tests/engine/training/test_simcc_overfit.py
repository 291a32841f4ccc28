"""RTMPose-t learns eight real persons by heart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.shared_data import shared
from support.train_real_parts import ROOT, some_persons

from ppdet.core.config.load import load_config
from ppdet.engine.training.run import TrainingOptions, train

CONFIG = """
_BASE_: [{recipe}]
epoch: {epochs}
snapshot_epoch: {epochs}
log_iter: 10
worker_num: 0
use_gpu: false
use_ema: false
save_dir: {out}
TopDownSimCC: {{flip: false}}
codec: {{input_wh: [64, 96]}}
TrainDataset: {{dataset_dir: {data}, image_dir: images, anno_path: {annotations}}}
EvalDataset: {{dataset_dir: {data}, image_dir: images, anno_path: {annotations}}}
TrainReader: {{batch_size: 8, sample_transforms: [TopDownAffine: {{}}, EncodeSimCC: {{}}]}}
EvalReader: {{batch_size: 8}}
LearningRate:
  base_lr: 0.001
  schedulers: [!CosineDecay {{max_epochs: {epochs}}}, !LinearWarmup {{start_factor: 0.1, steps: 5}}]
"""


@pytest.mark.slow
def test_eight_persons_are_learned_by_heart(tmp_path: Path) -> None:
    """If crop, targets, loss, decoding or un-warp were wrong, OKS could not come near 1."""
    path = tmp_path / "small.yml"
    path.write_text(
        CONFIG.format(
            recipe=ROOT / "configs/keypoint/rtmpose/rtmpose_t_256x192.yml", epochs=100, out=tmp_path / "out",
            data=shared("data", "coco_person"), annotations=some_persons(tmp_path / "persons.json", 8),
        )
    )  # fmt: skip
    state = train(load_config(path), TrainingOptions(evaluate=True))
    lines = [json.loads(line) for line in (tmp_path / "out" / "small" / "train_log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in lines if line["kind"] == "train"]
    assert np.isfinite(losses).all() and losses[-1] < 0.2 * losses[0]
    assert state.best > 0.95, (state, lines[-1])
