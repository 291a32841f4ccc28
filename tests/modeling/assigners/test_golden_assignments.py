"""Assignments on made-up scenes equal those of PaddleDetection's assigners."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from support.golden_cases import golden_arrays

from ppdet.modeling.assigners.assignment import AnchorGrid, Assignment
from ppdet.modeling.assigners.atss import ATSSAssigner
from ppdet.modeling.assigners.simota import IMPOSSIBLE, SimOTAAssigner
from ppdet.modeling.assigners.task_aligned import TaskAlignedAssigner
from ppdet.modeling.ground_truth import GroundTruth

TOLERANCE = 1e-4


def scene(table: str, name: str) -> dict[str, np.ndarray]:
    arrays = golden_arrays(f"picodet_training_{table}")
    return {key.split("/", 1)[1]: value for key, value in arrays.items() if key.startswith(f"{name}/")}


def truth_of(case: dict[str, np.ndarray]) -> GroundTruth:
    batch = {"gt_boxes": case["gt_boxes"], "gt_labels": case["gt_labels"], "gt_mask": case["pad_gt_mask"]}
    return GroundTruth.from_batch({key: paddle.to_tensor(value) for key, value in batch.items()})


def grid_of(points: np.ndarray, sizes: np.ndarray, strides: np.ndarray | None = None) -> AnchorGrid:
    strides = np.ones((len(points), 1), np.float32) if strides is None else strides
    return AnchorGrid(paddle.to_tensor(points), paddle.to_tensor(strides), [int(size) for size in sizes])


def check(found: Assignment, case: dict[str, np.ndarray], num_classes: int) -> None:
    np.testing.assert_array_equal(found.labels.numpy(), case["labels"])
    positive = case["labels"] < num_classes
    np.testing.assert_array_equal(found.positive.numpy(), positive)
    np.testing.assert_allclose(found.boxes.numpy()[positive], case["bboxes"][positive], atol=TOLERANCE)
    np.testing.assert_allclose(found.class_targets(num_classes).numpy(), case["scores"], atol=TOLERANCE)


@pytest.mark.parametrize("name", ["one_empty", "topk4", "topk9", "topk9_crowd", "topk9_force"])
def test_atss(name: str) -> None:
    case = scene("atss", name)
    num_classes = case["scores"].shape[-1]
    anchors = paddle.to_tensor(case["anchors"])
    points = (case["anchors"][:, :2] + case["anchors"][:, 2:]) / 2
    assigner = ATSSAssigner(int(case["topk"]), num_classes, bool(case["force_gt_matching"]))
    grid = grid_of(points, case["num_anchors_list"])
    check(assigner(grid, anchors, truth_of(case), paddle.to_tensor(case["pred_boxes"])), case, num_classes)
    without = assigner(grid, anchors, truth_of(case))
    np.testing.assert_allclose(without.class_targets(num_classes).numpy(), case["scores_without_pred"], atol=TOLERANCE)


@pytest.mark.parametrize("name", ["crowd", "one_class", "one_empty", "other_weights", "three_classes"])
def test_task_aligned(name: str) -> None:
    case = scene("tal", name)
    num_classes = case["scores"].shape[-1]
    assigner = TaskAlignedAssigner(int(case["topk"]), float(case["alpha"]), float(case["beta"]), num_classes=num_classes)
    grid = grid_of(case["anchor_points"], case["num_anchors_list"])
    found = assigner(grid, paddle.to_tensor(case["pred_scores"]), paddle.to_tensor(case["pred_boxes"]), truth_of(case))
    check(found, case, num_classes)


@pytest.mark.parametrize("name", ["crowd", "default_weights", "one_class", "single", "three_classes"])
def test_simota(name: str) -> None:
    case = scene("simota", name)
    num_classes = case["scores"].shape[-1]
    names = ("center_radius", "candidate_topk", "iou_weight", "cls_weight")
    assigner = SimOTAAssigner(**{key: case[key].item() for key in names}, num_classes=num_classes)
    mask = np.ones((1, len(case["gt_boxes"]), 1), np.float32)
    truth = truth_of({"gt_boxes": case["gt_boxes"][None], "gt_labels": case["gt_labels"][None], "pad_gt_mask": mask})
    places = case["centers_strides"]
    grid = grid_of(places[:, :2].copy(), np.array([len(places)]), places[:, 2:3].copy())
    inputs = (grid, paddle.to_tensor(case["scores"][None]), paddle.to_tensor(case["pred_boxes"][None]), truth)
    cost, iou = (values.numpy()[0].T for values in assigner.cost(*inputs))
    np.testing.assert_array_equal((cost < IMPOSSIBLE).any(axis=1), case["valid_mask"])
    candidates = np.flatnonzero(case["valid_mask"])
    np.testing.assert_allclose(cost[candidates], case["cost"], rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_allclose(iou[candidates], case["iou"], atol=TOLERANCE)
    found = assigner(*inputs)
    np.testing.assert_array_equal(found.labels.numpy()[0], case["labels"])
    positive = case["labels"] < num_classes
    assert max(positive.sum(), 1) == case["pos_num"]
    np.testing.assert_allclose(found.boxes.numpy()[0][positive], case["bbox_targets"][positive], atol=TOLERANCE)


def test_scores_of_annotations_scale_the_quality() -> None:
    case = scene("tal", "one_class")
    assigner = TaskAlignedAssigner(num_classes=1)
    grid = grid_of(case["anchor_points"], case["num_anchors_list"])
    truth, scores, boxes = truth_of(case), paddle.to_tensor(case["pred_scores"]), paddle.to_tensor(case["pred_boxes"])
    full = assigner(grid, scores, boxes, truth)
    half = assigner(grid, scores, boxes, truth._replace(scores=truth.scores * 0.5))
    np.testing.assert_array_equal(full.labels.numpy(), half.labels.numpy())
    np.testing.assert_allclose(half.quality.numpy(), full.quality.numpy() * 0.5, rtol=1e-6)
