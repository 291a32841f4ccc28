"""Varifocal, distribution focal and GIoU losses equal PaddleDetection's, gradients included."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from support.golden_cases import golden_arrays

from ppdet.modeling.assigners.overlap import aligned_iou, pairwise_iou, pairwise_iou_giou
from ppdet.modeling.losses.distribution_focal_loss import DistributionFocalLoss
from ppdet.modeling.losses.iou_loss import GIoULoss
from ppdet.modeling.losses.varifocal_loss import VarifocalLoss

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def table() -> dict[str, np.ndarray]:
    return golden_arrays("picodet_training_losses")


def variable(array: np.ndarray) -> paddle.Tensor:
    return paddle.to_tensor(array, stop_gradient=False)


def close(given, expected, rtol: float = TOLERANCE) -> None:
    np.testing.assert_allclose(np.asarray(given), expected, rtol=rtol, atol=TOLERANCE)


@pytest.mark.parametrize("classes", ["c1", "c5"])
def test_varifocal(table, classes: str) -> None:
    target = paddle.to_tensor(table[f"vfl_{classes}_target"])
    logit, probability = variable(table[f"vfl_{classes}_logit"]), variable(table[f"vfl_{classes}_prob"])
    on_logits, on_scores = VarifocalLoss(use_sigmoid=True), VarifocalLoss(use_sigmoid=False)
    close(on_logits.elementwise(logit, target), table[f"vfl_{classes}_out_logit_elementwise"])
    close(on_scores.elementwise(probability, target).sum(axis=-1), table[f"vfl_{classes}_out_prob_rowsum"])
    plain = VarifocalLoss(use_sigmoid=False, iou_weighted=False)
    close(plain.elementwise(probability, target).sum(axis=-1), table[f"vfl_{classes}_out_prob_rowsum_not_iou_weighted"])
    for name, loss, given in (("logit", on_logits, logit), ("prob", on_scores, probability)):
        value = loss(given, target, 7.5)
        close(value, table[f"vfl_{classes}_out_{name}_avg7p5"])
        value.backward()
        close(given.grad, table[f"vfl_{classes}_grad_{name}_avg7p5"])


@pytest.mark.parametrize("weight", ["0.25", "0.5"])
def test_distribution_focal(table, weight: str) -> None:
    logits, distance = variable(table["dfl_pred"]), paddle.to_tensor(table["dfl_label"])
    loss = DistributionFocalLoss(loss_weight=float(weight))
    close(loss.elementwise(logits, distance), table["dfl_out_elementwise"])
    value = loss(logits, distance, paddle.to_tensor(table["dfl_weight"]), 4.0)
    close(value, table[f"dfl_out_weighted_avg4_lw{weight}"])
    value.backward()
    close(logits.grad, table[f"dfl_grad_weighted_avg4_lw{weight}"])


@pytest.mark.parametrize("weight", ["1.0", "2.0", "2.5"])
def test_giou(table, weight: str) -> None:
    boxes = variable(table["giou_pred"])
    losses = GIoULoss(loss_weight=float(weight))(boxes, paddle.to_tensor(table["giou_target"]))
    close(losses.unsqueeze(-1), table[f"giou_out_lw{weight}"])
    losses.sum().backward()
    close(boxes.grad, table[f"giou_grad_sum_lw{weight}"])


def test_overlaps(table) -> None:
    """Of boxes whose corners are in order: what a negative area overlaps is nobody's business."""
    boxes, others = paddle.to_tensor(table["giou_pred"][None]), paddle.to_tensor(table["giou_target"][None, :6])
    proper = (table["giou_target"][:6, 2:] > table["giou_target"][:6, :2]).all(axis=1)
    assert proper.sum() == 5
    iou, giou = pairwise_iou_giou(others, boxes)
    close(iou[0].t(), table["simota_helper_iou"])
    close((1 - giou)[0].t().numpy()[:, proper], table["simota_helper_one_minus_giou"][:, proper])
    close(pairwise_iou(others, boxes), table["tal_helper_iou"])
    close(pairwise_iou(others, boxes, 1e-10)[0], table["atss_helper_iou"])
    close(aligned_iou(boxes[0], paddle.to_tensor(table["giou_target"])), table["vfl_target_iou_aligned"])
