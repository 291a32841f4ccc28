"""PP-YOLOv2's maps, boxes, losses and gradients equal PaddleDetection's, weights filled by rule.

One of its known defects is left out: YOLOBox truncates the original size of an image, which loses a pixel of many heights.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Dict, List

import numpy as np
import paddle
import pytest
from support.golden_cases import RELATIVE_ERROR, fill_by_rule, golden_arrays, golden_keys, model_keys, relative_error
from support.small_models import ANCHOR_SCALE, ppyolov2

from ppdet import modeling as m
from ppdet.data.transforms.detection.gt2yolo_target import Gt2YoloTarget
from ppdet.geometry.matrix_nms import matrix_nms
from ppdet.modeling.heads.yolo_head import ANCHORS, MASKS

NAME = "ppyolov2_r50vd_dcn_320"
TERMS = ("loss_xy", "loss_wh", "loss_iou", "loss_iou_aware", "loss_obj", "loss_cls", "loss")
COLUMNS = {0: slice(None), 1: slice(None), 2: slice(None, None, 2)}  # of level 2 every other row and column is stored


@pytest.fixture(scope="module")
def case() -> SimpleNamespace:
    """The golden arrays, the model, and its maps with their gradients switched on."""
    arrays, model = golden_arrays(NAME), ppyolov2()
    assert model_keys(model) == golden_keys(NAME)
    fill_by_rule(model)
    with paddle.no_grad():
        features = model.backbone(paddle.to_tensor(arrays["image"]))
        levels = model.neck(features)
        maps = model.yolo_head(levels)
    for level in maps:
        level.stop_gradient = False
    return SimpleNamespace(arrays=arrays, model=model, features=features, levels=levels, maps=maps)


@pytest.fixture(scope="module")
def operations() -> Dict[str, np.ndarray]:
    return golden_arrays("detect_ops")


def small_head() -> m.YOLOv3Head:
    """The head of the cases without a network: 20 classes, its convolutions are not used."""
    loss = m.YOLOv3Loss(20, scale_x_y=ANCHOR_SCALE, iou_loss=m.IouLoss(), iou_aware_loss=m.IouAwareLoss())
    return m.YOLOv3Head([8, 8, 8], num_classes=20, loss=loss, iou_aware=True, iou_aware_factor=0.5)


def batch_of(boxes: np.ndarray, classes: np.ndarray, scores: np.ndarray, height: int, width: int) -> Dict[str, np.ndarray]:
    """A stacked batch from normalised centre and size (B, G, 4)."""
    half = boxes[..., 2:] / 2
    corners = np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=-1) * np.array([width, height] * 2, np.float32)
    mask = (boxes[..., 2:] > 0).all(axis=-1).astype(np.float32)
    image = np.zeros((len(boxes), 3, height, width), np.float32)
    batch = {"image": image, "gt_boxes": corners, "gt_labels": classes.astype(np.int64), "gt_scores": scores, "gt_mask": mask}
    target = Gt2YoloTarget(ANCHORS, MASKS, [32, 16, 8], num_classes=20 if len(boxes) > 1 else 80)
    return target.apply_batch(batch)


def tensors(batch: Dict[str, np.ndarray]) -> Dict[str, paddle.Tensor]:
    return {key: paddle.to_tensor(value) for key, value in batch.items()}


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_maps(case: SimpleNamespace) -> None:
    for i, step in enumerate((32, 16, 8)):
        assert relative_error(case.features[i][:, ::step], case.arrays[f"backbone_{i}"]) <= RELATIVE_ERROR
    for i, step in enumerate((4, 8, 16)):
        assert relative_error(case.levels[i][:, ::step], case.arrays[f"neck_{i}"]) <= RELATIVE_ERROR
        stored = case.maps[i][:, :, COLUMNS[i], COLUMNS[i]]
        assert relative_error(stored, case.arrays[f"head_{i}"]) <= RELATIVE_ERROR


def test_objectness_boxes_and_scores(case: SimpleNamespace) -> None:
    arrays, head = case.arrays, case.model.yolo_head
    with paddle.no_grad():
        for level, overlap, i in zip(*head.split(case.maps), range(3)):
            assert relative_error(head.objectness(level, overlap), sigmoid(arrays[f"objlogit_{i}"])) <= RELATIVE_ERROR
        layer = m.YOLOv3Export(case.model, nms=False)
        boxes, scores = layer(*(paddle.to_tensor(arrays[key]) for key in ("image", "im_shape", "scale_factor")))
    assert np.abs(boxes.numpy() - arrays["boxes"]).max() < 0.02  # of 800 pixels
    assert relative_error(scores[:, ::10], arrays["scores"]) <= RELATIVE_ERROR
    # All 6300 x 80 scores are above the threshold: Paddle's operator, which compares all pairs, would take a minute.
    _, _, lowered = matrix_nms(boxes[0].numpy(), scores[0].numpy().T, case.model.post_process.nms.settings())
    assert len(lowered) == arrays["dets_num"][0]
    # Scores differ by less than rounding does, so a few boxes change places with their rivals (detect_ops has the exact order).
    gap = np.abs(lowered[:, None] - arrays["dets"][None, :, 1]).min(axis=0)
    assert (gap < 1e-4).mean() >= 0.97


def test_targets_losses_and_gradients(case: SimpleNamespace) -> None:
    arrays = case.arrays
    batch = batch_of(*(arrays[key][None] for key in ("gt_bbox", "gt_class", "gt_score")), 320, 320)
    for i in range(3):
        np.testing.assert_allclose(batch[f"target{i}"], arrays[f"target_{i}"], atol=2e-5)
    losses = case.model.loss({"maps": case.maps}, tensors(batch))
    for name in TERMS:
        assert float(losses[name]) == pytest.approx(float(arrays[f"loss/{name}"]), rel=RELATIVE_ERROR)
    losses["loss"].backward()
    for i, level in enumerate(case.maps):
        stored = level.grad[:, :, COLUMNS[i], COLUMNS[i]]
        assert relative_error(stored, arrays[f"grad_head_{i}"]) <= RELATIVE_ERROR


@pytest.mark.parametrize("threshold", ["0.01", "0.3"])
def test_decoding_of_two_images(operations: Dict[str, np.ndarray], threshold: str) -> None:
    maps: List[paddle.Tensor] = [paddle.to_tensor(operations[f"yolo/head_{i}"]) for i in range(3)]
    size = np.floor(operations["yolo/im_shape"] / operations["yolo/scale_factor"])  # as PaddleDetection truncates it
    decode = m.YOLOBox(conf_thresh=float(threshold), scale_x_y=ANCHOR_SCALE)
    boxes, scores = decode(small_head(), maps, paddle.to_tensor(size.astype(np.float32)))
    np.testing.assert_allclose(boxes.numpy(), operations[f"yolo/boxes_{threshold}"], atol=2e-3)
    np.testing.assert_allclose(scores.numpy(), operations[f"yolo/scores_{threshold}"], atol=1e-5)


def test_losses_of_two_images(operations: Dict[str, np.ndarray]) -> None:
    maps = [paddle.to_tensor(operations[f"yolo/head_{i}"], stop_gradient=False) for i in range(3)]
    batch = batch_of(*(operations[f"yolo/gt_{key}"] for key in ("bbox", "class", "score")), 64, 96)
    for i in range(3):
        np.testing.assert_allclose(batch[f"target{i}"], operations[f"yolo/target_{i}"], atol=2e-5)
    losses = small_head().loss(maps, tensors(batch))
    for name in TERMS:
        assert float(losses[name]) == pytest.approx(float(operations[f"yolo/loss/{name}"]), rel=RELATIVE_ERROR)
    losses["loss"].backward()
    for i, level in enumerate(maps):
        assert relative_error(level.grad, operations[f"yolo/grad_{i}"]) <= RELATIVE_ERROR


@pytest.mark.parametrize("row", range(5))
def test_matrix_nms_in_order(operations: Dict[str, np.ndarray], row: int) -> None:
    names = ("score_threshold", "post_threshold", "nms_top_k", "keep_top_k", "use_gaussian", "gaussian_sigma")
    given = operations[f"nms/params_{row}"].tolist()
    settings = dict(zip((*names, "background_label", "normalized"), given))
    for name in ("nms_top_k", "keep_top_k", "background_label"):
        settings[name] = int(settings[name])
    boxes, scores, expected = operations["nms/boxes"], operations["nms/scores"], operations[f"nms/out_{row}"]
    rows, labels, lowered = matrix_nms(boxes[0], scores[0].T, settings)
    found = np.column_stack([labels, lowered, boxes[0][rows]])
    np.testing.assert_allclose(found, expected, atol=1e-4)
    flags = {name: bool(settings[name]) for name in ("use_gaussian", "normalized")}
    in_graph, counts = m.MatrixNMS(**{**settings, **flags})(paddle.to_tensor(boxes), paddle.to_tensor(scores))
    np.testing.assert_allclose(in_graph.numpy(), expected, atol=1e-4)
    assert counts.numpy().tolist() == [len(expected)]
