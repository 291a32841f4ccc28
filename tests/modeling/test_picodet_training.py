"""What training a PicoDet promises: any classes, any boxes or none, losses that fall, assigners by epoch."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from support.small_models import picodet_lcnet, picodet_legacy

from ppdet.core.errors import ConfigError
from ppdet.modeling import ATSSAssigner, PicoFeat, PicoHead, PicoHeadV2, SimOTAAssigner, TaskAlignedAssigner, VarifocalLoss

SIDE = 96
MAKERS = pytest.mark.parametrize("make", [picodet_lcnet, picodet_legacy])


def batch_of(*images: list[list[float]], classes: int = 1, side: tuple[int, int] = (SIDE, SIDE), epoch: int = 0) -> dict:
    """Random images with these boxes [x1, y1, x2, y2]."""
    most = max(1, *(len(boxes) for boxes in images))
    gt_boxes, mask = np.zeros((len(images), most, 4), np.float32), np.zeros((len(images), most), np.float32)
    for row, boxes in enumerate(images):
        gt_boxes[row, : len(boxes)] = np.array(boxes, np.float32).reshape(-1, 4)
        mask[row, : len(boxes)] = 1
    rng = np.random.default_rng(0)
    arrays = {
        "image": rng.standard_normal((len(images), 3, *side)).astype(np.float32),
        "gt_boxes": gt_boxes, "gt_mask": mask, "gt_labels": rng.integers(0, classes, mask.shape), "gt_scores": mask,
    }  # fmt: skip
    return {**{key: paddle.to_tensor(value) for key, value in arrays.items()}, "epoch": epoch}


def finite_gradients(model: paddle.nn.Layer) -> bool:
    return all(bool(paddle.isfinite(p.grad).all()) for p in model.parameters() if p.grad is not None)


@MAKERS
@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("epoch", [0, 1000])
def test_every_parameter_that_counts_learns(make, classes: int, epoch: int) -> None:
    model = make(classes)
    model.train()
    batch = batch_of([[10, 10, 60, 80], [50, 5, 90, 40]], [], classes=classes, epoch=epoch)
    losses = model.loss(model(batch["image"]), batch)
    assert set(losses) == {"loss", "loss_vfl", "loss_bbox", "loss_dfl"}
    total = sum(float(losses[key]) for key in losses if key != "loss")
    assert float(losses["loss"]) == pytest.approx(total, rel=1e-5)
    losses["loss"].backward()
    without = [name for name, p in model.named_parameters() if not p.stop_gradient and p.grad is None]
    assert all(name.endswith("scale_reg") for name in without), without
    assert finite_gradients(model)


@MAKERS
@pytest.mark.parametrize("epoch", [0, 1000])
def test_odd_boxes_do_no_harm(make, epoch: int) -> None:
    """Tiny, huge, repeated and outside boxes, images that are no squares, and nothing at all."""
    model = make(1)
    model.train()
    for images in (
        [[[5, 5, 5.01, 5.01], [-50, -50, 300, 300], [10, 10, 40, 40], [10, 10, 40, 40], [200, 200, 240, 240]]],
        [[]],
    ):
        batch = batch_of(*images, images[0], side=(64, 96), epoch=epoch)
        losses = model.loss(model(batch["image"]), batch)
        losses["loss"].backward()
        assert np.isfinite(float(losses["loss"])) and finite_gradients(model)
    no_rows = {**batch, "gt_boxes": paddle.zeros([2, 0, 4]), "gt_mask": paddle.zeros([2, 0]), "gt_labels": paddle.zeros([2, 0])}
    assert float(model.loss(model(batch["image"]), no_rows)["loss_bbox"]) == 0


@MAKERS
def test_steps_lower_the_loss(make) -> None:
    paddle.seed(3)
    model = make(1)
    model.train()
    batch = batch_of([[10, 10, 60, 80]], [[20, 30, 90, 90], [2, 2, 30, 30]])
    optimizer = paddle.optimizer.Adam(0.01, parameters=model.parameters())
    values = []
    for _ in range(8):
        loss = model.loss(model(batch["image"]), batch)["loss"]
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        values.append(float(loss))
    assert values[-1] < 0.9 * values[0], values


def test_the_epoch_chooses_the_assigner() -> None:
    model = picodet_lcnet(1)
    model.train()
    model.head.static_assigner_epoch = 5
    asked: list[str] = []
    for name in ("static_assigner", "assigner"):
        kept = getattr(model.head, name)
        setattr(model.head, name, lambda *given, kept=kept, name=name: asked.append(name) or kept(*given))
    for epoch in (0, 4, 5, 99):
        batch = batch_of([[10, 10, 60, 80]], epoch=epoch)
        model.loss(model(batch["image"]), batch)
    assert asked == ["static_assigner", "static_assigner", "assigner", "assigner"]


@MAKERS
def test_pseudo_labels_count_by_their_scores(make) -> None:
    model = make(1)
    model.eval()
    batch = batch_of([[10, 10, 60, 80]], epoch=1000)
    outputs = model(batch["image"])
    full = model.loss(outputs, batch)
    tenth = model.loss(outputs, {**batch, "gt_scores": batch["gt_mask"] * 0.1})
    assert float(tenth["loss_bbox"]) < 0.5 * float(full["loss_bbox"])


def test_a_size_that_cannot_be_trained_on_is_explained() -> None:
    model = picodet_lcnet(1)
    model.train()
    with pytest.raises(ConfigError, match="72x104.*multiples of 32.*target_size"):
        model(paddle.zeros([1, 3, 72, 104]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda feat: PicoHead(feat, 1, feat_in_chan=8, loss_class=VarifocalLoss(use_sigmoid=False)), "use_sigmoid: true"),
        (lambda feat: PicoHeadV2(feat, 1, feat_in_chan=8, loss_class=VarifocalLoss(use_sigmoid=True)), "use_sigmoid: false"),
        (lambda feat: VarifocalLoss(alpha=-1), "alpha"),
        (lambda feat: ATSSAssigner(topk=0), "topk"),
        (lambda feat: TaskAlignedAssigner(is_close_gt=True), "is_close_gt"),
        (lambda feat: SimOTAAssigner(candidate_topk=0), "candidate_topk"),
    ],
)
def test_settings_that_make_no_sense(make, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make(PicoFeat(8, 8, 3, 1, share_cls_reg=True, use_se=True))
