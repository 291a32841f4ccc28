"""Training of the anchor-based head beyond the golden cases: what its losses reach, and mistakes."""

from __future__ import annotations

from typing import Any, Dict

import numpy as np
import paddle
import pytest
from support.small_models import ppyolov2

from ppdet import modeling as m
from ppdet.core.errors import ConfigError
from ppdet.data.transforms.detection.gt2yolo_target import Gt2YoloTarget
from ppdet.modeling.heads.yolo_head import ANCHORS, MASKS
from ppdet.modeling.layers.drop_block import DropBlock
from ppdet.modeling.losses.iou_loss import paired_iou


def batch_of(boxes: int, classes: int = 3, size: int = 64) -> Dict[str, Any]:
    """Two images, the second without boxes."""
    image = np.random.default_rng(0).normal(size=(2, 3, size, size)).astype(np.float32)
    corners = np.zeros((2, max(1, boxes), 4), np.float32)
    mask = np.zeros(corners.shape[:2], np.float32)
    corners[0, :boxes], mask[0, :boxes] = [10, 12, 40, 50], 1
    labels = np.full(mask.shape, classes - 1, np.int64)
    batch = {"image": image, "gt_boxes": corners, "gt_mask": mask, "gt_labels": labels, "gt_scores": mask.copy()}
    batch = Gt2YoloTarget(ANCHORS, MASKS, [32, 16, 8], num_classes=classes).apply_batch(batch)
    return {key: paddle.to_tensor(value) for key, value in batch.items()}


@pytest.mark.parametrize("boxes", [0, 1])
def test_every_parameter_has_a_finite_gradient(boxes: int) -> None:
    """With and without boxes: a process without any must not leave the others waiting for gradients."""
    paddle.seed(0)
    model = ppyolov2(3, scale=0.125)
    batch = batch_of(boxes)
    losses = model.loss(model(batch["image"]), batch)
    losses["loss"].backward()
    assert all(np.isfinite(float(value)) for value in losses.values())
    trained = [(name, p) for name, p in model.named_parameters() if not name.endswith(("._mean", "._variance"))]
    assert [name for name, p in trained if p.grad is None or not np.isfinite(p.grad.numpy()).all()] == []
    assert (float(losses["loss_cls"]) > 0) == (boxes > 0) and float(losses["loss_obj"]) > 0


def test_a_few_steps_find_the_box() -> None:
    paddle.seed(1)
    model, batch = ppyolov2(3, scale=0.125), batch_of(1)
    optimizer = paddle.optimizer.Adam(1e-2, parameters=model.parameters())
    first = last = 0.0
    for _ in range(10):
        loss = model.loss(model(batch["image"]), batch)["loss"]
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        last = float(loss)
        first = first or last
    assert last < 0.5 * first


def test_label_smoothing_and_plain_sigmoid_positions() -> None:
    paddle.seed(2)
    maps = [paddle.randn([2, 24, n, n]) for n in (2, 4, 8)]
    batch = batch_of(1)

    def losses(**options: Any) -> Dict[str, float]:
        head = m.YOLOv3Head([8] * 3, num_classes=3, loss=m.YOLOv3Loss(3, **options))
        return {name: float(value) for name, value in head.loss(maps, batch).items()}

    plain, smooth = losses(), losses(label_smooth=True)
    assert set(plain) == {"loss", "loss_xy", "loss_wh", "loss_obj", "loss_cls"} and plain["loss_cls"] != smooth["loss_cls"]
    assert plain["loss"] == pytest.approx(sum(value for name, value in plain.items() if name != "loss"), rel=1e-5)
    cells = [np.argwhere(batch[f"target{i}"].numpy()[:, :, 5] > 0) for i in range(3)]
    (level,) = [i for i in range(3) if len(cells[i])]
    image, anchor, row, column = cells[level][0]
    logits = maps[level].numpy().reshape(2, 3, 8, *maps[level].shape[2:])[image, anchor, :2, row, column]
    target = batch[f"target{level}"].numpy()[image, anchor, :, row, column]
    wanted, weight = target[:2], target[4]
    probability = 1 / (1 + np.exp(-logits))
    expected = -(wanted * np.log(probability) + (1 - wanted) * np.log(1 - probability)).sum() * weight / 2
    assert plain["loss_xy"] == pytest.approx(expected, rel=1e-4)


def test_iou_of_pairs() -> None:
    a = paddle.to_tensor([[0.0, 0, 2, 2], [0, 0, 1, 1], [0, 0, 1, 1]])
    b = paddle.to_tensor([[1.0, 1, 3, 3], [0, 0, 1, 1], [5, 5, 6, 6]])
    np.testing.assert_allclose(paired_iou(a, b).numpy(), [1 / 7, 1, 0], atol=1e-6)
    np.testing.assert_allclose(m.IouLoss(2.0)(a, b).numpy(), [2 * (1 - 1 / 49), 0, 2], atol=1e-5)
    np.testing.assert_allclose(m.IouLoss(2.0, loss_square=False)(a, b).numpy(), [2 * (1 - 1 / 7), 0, 2], atol=1e-5)


def test_drop_block() -> None:
    paddle.seed(3)
    layer, x = DropBlock(3, 0.9), paddle.ones([2, 16, 20, 20])
    y = layer(x).numpy()
    kept = y != 0
    assert 0.85 < kept.mean() < 0.95 and y.mean() == pytest.approx(1.0, abs=1e-4)
    assert not np.array_equal(kept[0, 0], kept[0, 1]), "channels drop their own blocks"
    rows, columns = np.nonzero(~kept[0, 0])
    dropped = ~kept[0, 0]
    around = [dropped[max(r - 2, 0) : r + 3, max(c - 2, 0) : c + 3].sum() for r, c in zip(rows, columns)]
    assert around and min(around) >= 4
    layer.eval()
    assert layer(x) is x
    with pytest.raises(ConfigError, match="odd"):
        DropBlock(2)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: m.ResNet(18), "depth 18"),
        (lambda: m.ResNet(50, dcn_v2_stages=[4]), "dcn_v2_stages"),
        (lambda: m.ResNet(50, return_idx=[4]), "return_idx"),
        (lambda: m.PPYOLOPAN(conv_block_num=1), "conv_block_num"),
        (lambda: m.YOLOv3Head(anchor_masks=[[9], [0], [1]]), "anchor_masks"),
        (lambda: m.YOLOv3Head([8, 8]), "levels"),
        (lambda: m.YOLOv3Head(loss=m.YOLOv3Loss(downsample=[16, 8, 4])), "downsample"),
        (lambda: m.YOLOv3Head(loss=m.YOLOv3Loss(iou_aware_loss=m.IouAwareLoss())), "iou_aware: true"),
        (lambda: m.IouLoss(ciou=True), "ciou"),
        (lambda: m.YOLOv3Loss(ignore_thresh=7), "ignore_thresh"),
    ],
)
def test_impossible_settings_are_explained(make: Any, words: str) -> None:
    with paddle.LazyGuard(), pytest.raises(ConfigError, match=words):
        make()


def test_images_and_targets_that_do_not_fit_are_explained() -> None:
    model = ppyolov2(3, scale=0.125)
    with pytest.raises(ConfigError, match="multiples of 32"):
        model(paddle.zeros([1, 3, 64, 80]))
    with pytest.raises(ConfigError, match="Gt2YoloTarget"):
        model.yolo_head.loss([], {"image": paddle.zeros([1, 3, 64, 64])})


def test_frozen_stages_and_learning_rates() -> None:
    backbone = m.ResNet(50, freeze_at=0, freeze_norm=True, lr_mult_list=[0.05, 0.1, 0.5, 1.0], scale=0.125)
    trained = {name.split(".")[0] for name, p in backbone.named_parameters() if not p.stop_gradient}
    assert trained == {"res3", "res4", "res5"}
    assert backbone.res4.parameters()[0].optimize_attr["learning_rate"] == 0.5


def test_a_deeper_backbone_has_paddledetections_block_names() -> None:
    with paddle.LazyGuard():
        names = [name for name, _ in m.ResNet(101).res4.named_children()]
    assert names[:3] == ["res4a", "res4b1", "res4b2"] and len(names) == 23
