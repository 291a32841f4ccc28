"""Every reader of annotation and result files takes any JSON: it is used, named or refused, and nothing else comes out."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, Callable

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.json_mutations import any_json, mutated

from ppdet.core.errors import PpdetError
from ppdet.data.convert.labelme import coco_from_labelme
from ppdet.data.sources.bottom_up_coco import KeypointBottomUpCocoDataset
from ppdet.data.sources.coco_top_down import KeypointTopDownCocoDataset
from ppdet.data.sources.detection import COCODataSet
from ppdet.data.sources.hand import KeypointTopDownCocoWholeBodyHandDataset
from ppdet.data.sources.image_folder import ImageFolder
from ppdet.data.sources.mpii import KeypointTopDownMPIIDataset
from ppdet.inference.files.pose_files import read_pose_file
from ppdet.metrics.coco_box import COCOMetric
from ppdet.metrics.coco_keypoint import KeyPointTopDownCOCOEval
from ppdet.metrics.crowdpose import KeyPointCrowdPoseEval
from ppdet.metrics.mpii_pckh import KeyPointTopDownMPIIEval
from ppdet.metrics.result_file import read_results
from ppdet.skeletons import get_skeleton

STICK = {"name": "stick", "keypoints": ["top", "middle", "bottom"]}
IMAGES = [{"id": i, "file_name": f"{i}.png", "width": 64, "height": 48, "crowdIndex": 0.3} for i in (1, 2)]
PERSON = {"id": 5, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 300.5, "bbox": [4, 5, 30, 40],
          "keypoints": [8, 9, 2, 20, 30, 1, 0, 0, 0]}  # fmt: skip
CROWD = {**PERSON, "id": 6, "iscrowd": 1, "segmentation": {"size": [48, 64], "counts": [0, 3072]}}
POLYGON = {**PERSON, "id": 7, "image_id": 2, "keypoints": [0] * 9, "segmentation": [[1, 1, 20, 1, 20, 30]]}
CATEGORIES = [{"id": 1, "name": "stick", "keypoints": STICK["keypoints"], "skeleton": [[1, 2]]}, {"id": 2, "name": "ball"}]
COCO = {"images": IMAGES, "annotations": [PERSON, CROWD, POLYGON, {**PERSON, "id": 8, "image_id": 2}], "categories": CATEGORIES}
HAND = [v for i in range(21) for v in (10 + i, 20 + i % 5, 2)]
LEFT = {"id": 1, "image_id": 1, "lefthand_valid": True, "lefthand_box": [5, 5, 30, 30], "lefthand_kpts": HAND}
HANDS = {"images": IMAGES, "annotations": [LEFT], "categories": []}
MPII = [{"image": "1.png", "center": [30, 20], "scale": 0.2, "joints": [[1, 2]] * 16, "joints_vis": [1] * 16}] * 2
POINTS = [8, 9, 0.9, 20, 30, 0.8, 4, 5, 0.1]
RESULTS = [{"image_id": 1, "category_id": 1, "keypoints": POINTS, "score": 0.7, "bbox": [4, 5, 30, 40]}]
DEPLOY = [["1.png", [[4, 5, 34, 45]], [[[[8, 9, 0.9], [20, 30, 0.8], [4, 5, 0.1]]], [[0.6]]]]]
NAMED = [{"image": "1.png", "people": [{"keypoints": {"top": [8, 9, 0.9]}, "score": 0.7, "box": [4, 5, 34, 45]}]}]
LABELME = {"imagePath": "1.png", "imageWidth": 64, "imageHeight": 48, "shapes": [
    {"label": "stick", "shape_type": "rectangle", "points": [[4, 5], [30, 40]], "group_id": 1, "flags": {}},
    {"label": "top", "shape_type": "point", "points": [[8, 9]], "group_id": 1, "flags": {"hidden": True}}]}  # fmt: skip


def _use(dataset: Any) -> None:
    for index in range(min(len(dataset), 3)):
        dataset[index]


def _top_down(folder: Path, box: str = "given") -> None:
    _use(KeypointTopDownCocoDataset(str(folder), "", "a.json", 3, [48, 64], skeleton=STICK, box=box))


def _detections(folder: Path) -> None:
    (folder / "truth.json").write_text(json.dumps(COCO))
    _use(KeypointTopDownCocoDataset(str(folder), "", "truth.json", 3, [48, 64], use_gt_bbox=False, bbox_file="a.json"))


def _keypoint_metric(folder: Path, metric: Any = KeyPointTopDownCOCOEval) -> None:
    evaluation = metric(folder / "a.json", skeleton=STICK)
    ids = evaluation.ground_truth.image_ids[:1]
    if ids:
        ones = dict.fromkeys(("box_score", "area", "score"), np.ones(1))
        evaluation.update({"image_id": np.array(ids), "keypoints": np.ones((1, 3, 3)), **ones})
    evaluation.compute()
    assert evaluation.report() and json.dumps(evaluation.results()) is not None


def _box_metric(folder: Path) -> None:
    evaluation = COCOMetric(folder / "a.json")
    box = {"category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}
    evaluation.score([{"image_id": each, **box} for each in evaluation.ground_truth.image_ids])


def _results(folder: Path) -> None:
    (folder / "truth.json").write_text(json.dumps(COCO))
    KeyPointTopDownCOCOEval(folder / "truth.json", skeleton=STICK).score(read_results(folder / "a.json", "a.json"))


READERS: dict[str, tuple[Any, Callable[[Path], Any]]] = {
    "top_down": (COCO, _top_down),
    "top_down_extent": (COCO, lambda folder: _top_down(folder, "extent")),
    "top_down_image": (COCO, lambda folder: _top_down(folder, "image")),
    "bottom_up": (COCO, lambda folder: _use(KeypointBottomUpCocoDataset(str(folder), "", "a.json", 3, test_mode=True))),
    "detection": (COCO, lambda folder: _use(COCODataSet(str(folder), "", "a.json"))),
    "class_names": (COCO, lambda folder: ImageFolder(str(folder), "", "a.json").label_list()),
    "hand": (HANDS, lambda folder: _use(KeypointTopDownCocoWholeBodyHandDataset(str(folder), "", "a.json", trainsize=[64, 64]))),
    "mpii": (MPII, lambda folder: _use(KeypointTopDownMPIIDataset(str(folder), "", "a.json", trainsize=[64, 64]))),
    "detections": (RESULTS, _detections),
    "keypoint_metric": (COCO, _keypoint_metric),
    "crowdpose_metric": (COCO, lambda folder: _keypoint_metric(folder, KeyPointCrowdPoseEval)),
    "box_metric": (COCO, _box_metric),
    "mpii_metric": (MPII, lambda folder: KeyPointTopDownMPIIEval(folder / "a.json", save_prediction_only=True)),
    "results": (RESULTS, _results),
    "poses_coco": (COCO, lambda folder: read_pose_file(folder / "a.json")),
    "poses_results": (RESULTS, lambda folder: read_pose_file(folder / "a.json")),
    "poses_deploy": (DEPLOY, lambda folder: read_pose_file(folder / "a.json")),
    "poses_named": (NAMED, lambda folder: read_pose_file(folder / "a.json")),
    "poses_mpii": (MPII, lambda folder: read_pose_file(folder / "a.json")),
    "labelme": (LABELME, lambda folder: coco_from_labelme([folder / "a.json"], get_skeleton(STICK), "stick", folder)),
}


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    for number in (1, 2):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((48, 64, 3), 90, np.uint8))
    logging.disable(logging.CRITICAL)
    yield tmp_path
    logging.disable(logging.NOTSET)


def _feed(reader: str, folder: Path, examples: int) -> None:
    document, read = READERS[reader]

    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(content=st.one_of(mutated(document), mutated(document), mutated(document), any_json))
    def check(content: Any) -> None:
        try:
            text = json.dumps(content)
        except ValueError:  # an int of more digits than Python writes
            return
        (folder / "a.json").write_text(text)
        try:
            read(folder)
        except PpdetError as error:
            assert str(error)

    check()


@pytest.mark.parametrize("reader", list(READERS))
def test_readers_take_any_json(reader: str, folder: Path) -> None:
    (folder / "a.json").write_text(json.dumps(READERS[reader][0]))
    READERS[reader][1](folder)
    _feed(reader, folder, 40)


@pytest.mark.slow
@pytest.mark.parametrize("reader", list(READERS))
def test_readers_take_any_json_at_length(reader: str, folder: Path) -> None:
    _feed(reader, folder, 800)
