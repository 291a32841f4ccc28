"""FairMOT's maps, boxes, losses and gradients equal those of PaddleDetection's own model, weights filled by rule."""

from __future__ import annotations

from typing import Dict

import numpy as np
import paddle
import pytest
from support.golden_cases import RELATIVE_ERROR, fill_by_rule, golden_arrays, golden_keys, model_keys, relative_error
from support.small_models import fairmot

from ppdet.modeling.export.fairmot import FairMOTExport
from ppdet.modeling.initializer import parameter_count

NAME = "fairmot_dla34_192x320"


@pytest.fixture(scope="module")
def golden() -> Dict[str, np.ndarray]:
    return golden_arrays(NAME)


@pytest.fixture(scope="module")
def model() -> paddle.nn.Layer:
    network = fairmot()
    fill_by_rule(network)
    return network


@pytest.fixture(scope="module")
def outputs(model, golden) -> Dict[str, paddle.Tensor]:
    with paddle.no_grad():
        return model(paddle.to_tensor(golden["image"]))


def test_keys_and_number_of_parameters(model) -> None:
    assert model_keys(model) == golden_keys(NAME)
    assert parameter_count(model) == 21_701_408


def test_maps(model, golden, outputs) -> None:
    with paddle.no_grad():
        levels = model.detector.backbone(paddle.to_tensor(golden["image"]))
        for level, every in ((2, 8), (3, 8), (4, 4), (5, 4)):
            assert relative_error(levels[level][:, ::every], golden[f"backbone_{level}"]) <= RELATIVE_ERROR
        assert relative_error(model.detector.neck(levels)[:, ::4], golden["neck"]) <= RELATIVE_ERROR
    for name in ("heatmap", "size", "offset"):
        assert relative_error(outputs[name], golden[name]) <= RELATIVE_ERROR
    assert relative_error(outputs["reid"][:, ::8], golden["reid_feat"]) <= RELATIVE_ERROR


def test_boxes_and_looks(model, golden) -> None:
    export = FairMOTExport(model)
    with paddle.no_grad():
        feeds = [paddle.to_tensor(golden[name]) for name in ("image", "im_shape", "scale_factor")]
        found, looks = (np.asarray(each) for each in export(*feeds))
    assert found.shape == (500, 6) and looks.shape == (500, 128)
    np.testing.assert_allclose(np.linalg.norm(looks, axis=1), 1, atol=1e-5)
    rows = np.abs(golden["pred_dets"][:, 1][:, None] - found[:, 1]).argmin(axis=1)
    assert len(set(rows.tolist())) == len(rows)
    np.testing.assert_allclose(found[rows, 1], golden["pred_dets"][:, 1], atol=1e-5)
    assert relative_error(found[rows], golden["pred_dets"]) <= RELATIVE_ERROR
    assert relative_error(looks[rows], golden["pred_embs"]) <= 2 * RELATIVE_ERROR


def test_losses_and_gradients(model, golden, outputs) -> None:
    leaves = {name: outputs[name].detach().clone() for name in ("heatmap", "size", "offset", "reid")}
    for leaf in leaves.values():
        leaf.stop_gradient = False
    batch = {
        "center_heatmap": golden["target/heatmap"][None], "center_index": golden["target/index"][None],
        "center_mask": golden["target/index_mask"][None], "center_size": golden["target/size"][None],
        "center_offset": golden["target/offset"][None], "center_identity": golden["target/reid"][None],
    }  # fmt: skip
    losses = model.loss(leaves, {name: paddle.to_tensor(array) for name, array in batch.items()})
    for name, value in losses.items():
        assert relative_error(value.reshape([]), golden[f"loss/{name}"]) <= RELATIVE_ERROR, name
    losses["loss"].backward()
    for name in ("heatmap", "size", "offset"):
        assert relative_error(leaves[name].grad, golden[f"grad/{name}"]) <= RELATIVE_ERROR, name
    assert relative_error(leaves["reid"].grad[:, ::8], golden["grad/reid_feat"]) <= RELATIVE_ERROR
    weights = model._sub_layers["loss"]
    for name in ("det_weight", "reid_weight"):
        assert relative_error(getattr(weights, name).grad, golden[f"grad/{name}"]) <= RELATIVE_ERROR
    model.clear_gradients()
