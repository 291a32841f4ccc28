"""A made-up clip of a few people in JDE's and MOTChallenge's layouts: figures of their own colours who walk across each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import List, Tuple

import cv2
import numpy as np

from ppdet.image.io import write_image

WH = (96, 64)
PERSON_WH = (14, 32)
COLOURS = ((220, 40, 40), (40, 200, 60), (60, 80, 230))


def places(frame: int, people: int) -> np.ndarray:
    """(P, 4) xyxy: the first two cross each other, the third stands."""
    starts = np.array([[6.0, 22], [76.0, 27], [40.0, 30]])[:people]
    steps = np.array([[9.0, 0.4], [-9.0, -0.2], [0.0, 0.0]])[:people]
    corner = starts + steps * frame
    return np.concatenate([corner, corner + PERSON_WH], axis=1)


def picture(frame: int, people: int) -> np.ndarray:
    """(H, W, 3) RGB uint8 of a frame; who stands lower is in front."""
    rng = np.random.default_rng(3)
    image = cv2.resize(rng.integers(90, 150, (4, 6, 3)).astype(np.uint8), WH, interpolation=cv2.INTER_CUBIC)
    boxes = places(frame, people)
    for person in np.argsort(boxes[:, 3]):
        x1, y1, x2, y2 = (int(round(value)) for value in boxes[person])
        cv2.rectangle(image, (x1 + 1, y1 + 9), (x2 - 1, y2), COLOURS[person], -1)
        cv2.circle(image, ((x1 + x2) // 2, y1 + 5), 5, (235, 190, 160), -1)
        cv2.rectangle(image, (x1 + 1, y1 + 21), (x2 - 1, y2), tuple(255 - value for value in COLOURS[person]), -1)
    return image


def write_mot_data(folder: Path, frames: int, people: int = 2) -> Path:
    """`image_lists/clip` for training, and the sequence `MOT/images/clip` for evaluation."""
    sequence = folder / "MOT" / "images" / "clip"
    for name in ("img1", "gt"):
        (sequence / name).mkdir(parents=True, exist_ok=True)
    labels = folder / "MOT" / "labels_with_ids" / "clip" / "img1"
    labels.mkdir(parents=True, exist_ok=True)
    (folder / "image_lists").mkdir(exist_ok=True)
    listed: List[str] = []
    truth: List[Tuple[float, ...]] = []
    for frame in range(frames):
        name = f"{frame + 1:06d}"
        write_image(sequence / "img1" / f"{name}.png", picture(frame, people))
        listed.append(f"MOT/images/clip/img1/{name}.png")
        rows = []
        for person, (x1, y1, x2, y2) in enumerate(places(frame, people).tolist()):
            parts = ((x1 + x2) / 2 / WH[0], (y1 + y2) / 2 / WH[1], (x2 - x1) / WH[0], (y2 - y1) / WH[1])
            rows.append(f"0 {person} " + " ".join(f"{part:.6f}" for part in parts))
            truth.append((frame + 1, person + 1, x1, y1, x2 - x1, y2 - y1, 1, 1, 1))
        (labels / f"{name}.txt").write_text("\n".join(rows) + "\n")
    (sequence / "gt" / "gt.txt").write_text("\n".join(",".join(map(str, row)) for row in truth) + "\n")
    (sequence / "seqinfo.ini").write_text("[Sequence]\nframeRate=30\n")
    (folder / "image_lists" / "clip").write_text("\n".join(listed) + "\n")
    return folder


def write_fairmot_config(folder: Path, data: Path, name: str = "tiny", **values: object) -> Path:
    """A FairMOT in the clip's size, without augmentation."""
    root = Path(__file__).resolve().parents[2]
    settings = {"epochs": 1, "every": 1, "batch": 4, "lr": 0.001, "extra": "", **values}
    path = folder / f"{name}.yml"
    path.write_text(f"""
_BASE_: [{root / 'configs/mot/fairmot/fairmot_dla34_30e_576x320.yml'}]
use_gpu: false
worker_num: 0
epoch: {settings['epochs']}
snapshot_epoch: {settings['every']}
log_iter: 1
pretrain_weights: null
save_dir: {folder / 'out'}
TrainDataset: !MOTDataSet {{dataset_dir: {json.dumps(str(data))}, image_lists: [clip]}}
EvalMOTDataset: !MOTImageFolder {{dataset_dir: {json.dumps(str(data))}, data_root: MOT/images}}
LearningRate:
  base_lr: {settings['lr']}
  schedulers: [!PiecewiseDecay {{gamma: 0.1, milestones: [{max(1, int(settings['epochs']) * 3 // 4)}], use_warmup: false}}]
TrainReader:
  sample_transforms:
    - Decode: {{}}
    - LetterBoxResize: {{target_size: [{WH[1]}, {WH[0]}]}}
    - NormalizeImage: {{mean: [0, 0, 0], std: [1, 1, 1]}}
    - Permute: {{}}
  batch_size: {settings['batch']}
TestMOTReader:
  inputs_def: {{image_shape: [3, {WH[1]}, {WH[0]}]}}
  sample_transforms:
    - Decode: {{}}
    - LetterBoxResize: {{target_size: [{WH[1]}, {WH[0]}]}}
    - NormalizeImage: {{mean: [0, 0, 0], std: [1, 1, 1], is_scale: true}}
    - Permute: {{}}
{settings['extra']}
""")
    return path
