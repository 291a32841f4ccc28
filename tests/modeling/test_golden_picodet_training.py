"""From image to losses and gradients: PicoDet equals PaddleDetection's own head, assigners and losses."""

from __future__ import annotations

import numpy as np
import paddle
import pytest
from support.golden_cases import golden_arrays, golden_keys
from support.picodet_golden import golden_batch, golden_picodet, normalized, set_mode, short_key

LCNET = ["lcnet_192", "lcnet_320", "lcnet_coco80_192"]
ESNET = ["esnet_192", "esnet_320", "esnet_coco80_192"]
PHASES = [(name, phase, epoch) for name in LCNET for phase, epoch in (("atss", 99), ("tal", 100))]
PHASES += [(name, "simota", 0) for name in ESNET]
MARKED = [pytest.param(*phase, marks=pytest.mark.slow) if phase[0].endswith("320") else phase for phase in PHASES]
LOSSES = {"loss_vfl": "loss_vfl", "loss_bbox": "loss_bbox", "loss_dfl": "loss_dfl", "loss": "loss"}
TOLERANCE, GRADIENT_TOLERANCE = 1e-4, 1e-3


@pytest.mark.parametrize(("name", "phase", "epoch"), MARKED)
def test_losses_and_gradients(name: str, phase: str, epoch: int) -> None:
    file = f"picodet_training_{name}"
    expected = golden_arrays(file)
    model = golden_picodet(name, expected)
    images = normalized(expected["image_u8"])
    outputs = model(images)
    learnt = paddle.concat(outputs.get("logits", outputs["scores"]), axis=1)
    reference = expected["cls_logits" if phase == "simota" else "pred_scores"]
    np.testing.assert_allclose(learnt.numpy(), reference, atol=TOLERANCE * np.abs(reference).max())
    for boxes in ("a", "b"):
        batch = golden_batch(expected, images, boxes, epoch)
        losses = model.loss(outputs, batch)
        for key in LOSSES:
            np.testing.assert_allclose(float(losses[key]), expected[f"{phase}_{boxes}_{key}"], rtol=TOLERANCE)
    losses = model.loss(model(images), golden_batch(expected, images, "a", epoch))
    losses["loss"].backward()
    gradients = {short_key(key): value.grad for key, value in model.named_parameters() if value.grad is not None}
    order, norms = golden_keys(file)["grad_norm_order"], expected[f"{phase}_a_grad_norms"]
    found = np.array([np.linalg.norm(gradients[key].numpy()) for key in order])
    np.testing.assert_allclose(found, norms, rtol=GRADIENT_TOLERANCE, atol=GRADIENT_TOLERANCE * norms.max() * 1e-2)
    for key, value in expected.items():
        if key.startswith(f"{phase}_a_grad/"):
            gradient = gradients[key.split("/", 1)[1]].numpy()
            np.testing.assert_allclose(gradient, value, atol=GRADIENT_TOLERANCE * np.abs(value).max())


@pytest.mark.parametrize(("name", "phase", "epoch"), [PHASES[0], PHASES[1], PHASES[6]])
def test_batches_without_boxes_teach_the_background_only(name: str, phase: str, epoch: int) -> None:
    """PaddleDetection's second head divides by 0 here; ours divides by 1."""
    expected = golden_arrays(f"picodet_training_{name}")
    model = golden_picodet(name, expected)
    images = normalized(expected["image_u8"])
    losses = model.loss(model(images), golden_batch(expected, images, "c", epoch))
    assert float(losses["loss_bbox"]) == float(losses["loss_dfl"]) == 0
    assert np.isfinite(float(losses["loss"])) and float(losses["loss_vfl"]) > 0
    if phase == "simota":
        np.testing.assert_allclose(float(losses["loss"]), expected["simota_c_loss"], rtol=TOLERANCE)
    losses["loss"].backward()
    assert all(np.isfinite(p.grad.numpy()).all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize(("name", "phase", "epoch"), MARKED)
def test_with_statistics_of_the_batch(name: str, phase: str, epoch: int) -> None:
    expected = golden_arrays(f"picodet_training_{name}")
    model = golden_picodet(name, expected)
    set_mode(model, batch_statistics=True)
    images = normalized(expected["image_u8"][..., ::-1])
    losses = model.loss(model(images), golden_batch(expected, images, "a", epoch))
    for key in LOSSES:
        np.testing.assert_allclose(float(losses[key]), expected[f"bntrain_{phase}_a_{key}"], rtol=1e-3)
    state = model.state_dict()
    for key, value in expected.items():
        if key.startswith("bntrain_after/"):
            np.testing.assert_allclose(state[key.split("/", 1)[1]].numpy(), value, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize("name", ["lcnet_192", "esnet_192"])
def test_weight_decay_and_learning_rates_of_parameters(name: str) -> None:
    """Which parameters have no decay decides how norms behave over 300 epochs."""
    file = f"picodet_training_{name}"
    model = golden_picodet(name, golden_arrays(file))
    wanted = golden_keys(file)["param_attr_lr_l2_frozen"]
    found = {}
    for key, value in model.named_parameters():
        if key.endswith(("._mean", "._variance")):
            continue
        decay = None if value.regularizer is None else float(value.regularizer._coeff)
        found[short_key(key)] = [float(value.optimize_attr["learning_rate"]), decay, bool(value.stop_gradient)]
    assert found == {short_key(key): value for key, value in wanted.items()}
