"""Exported graphs return what the layers return, for any number of images."""

from __future__ import annotations

from pathlib import Path
from typing import List

import numpy as np
import paddle
import pytest
from support.golden_cases import fill_by_rule
from support.small_models import baseline, hrnet, lite_hrnet, lpn, picodet_lcnet, picodet_legacy, vit_pose

from ppdet.core.errors import ExportError
from ppdet.modeling import PicoDetExport, PoseResNet, TopDownExport

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
WH = (64, 96)
SMALL_VIT = {"img_size": [96, 64], "embed_dim": 48, "depth": 2, "num_heads": 3}


def _filled(model: paddle.nn.Layer) -> paddle.nn.Layer:
    fill_by_rule(model)
    return model


def _arrays(outputs) -> List[np.ndarray]:
    return [np.asarray(x) for x in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]


def _images(batch: int, wh=WH) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(batch, 3, wh[1], wh[0])).astype(np.float32)


def _save(layer, wh, folder: Path) -> Path:
    paddle.jit.save(layer, str(folder / "model"), input_spec=layer.input_spec(wh))
    return folder / "model"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lite_hrnet, marks=pytest.mark.slow),  # `test_onnx` exports it, too
        lambda: lpn("18h"),
        lambda: vit_pose(deconvs=2, **SMALL_VIT),
        lambda: vit_pose(**SMALL_VIT),
        pytest.param(lambda: baseline(PoseResNet(18)), marks=pytest.mark.slow),
        pytest.param(lambda: baseline(PoseResNet(50, se_first=True), head="shuffle"), marks=pytest.mark.slow),
        pytest.param(lambda: lite_hrnet("lite_18"), marks=pytest.mark.slow),
        pytest.param(lambda: hrnet(18), marks=pytest.mark.slow),
    ],
)
def test_top_down_with_any_batch(make, tmp_path: Path) -> None:
    layer = TopDownExport(_filled(make()), MEAN, STD)
    graph = paddle.jit.load(str(_save(layer, WH, tmp_path)))
    for batch in (1, 3):
        images = paddle.to_tensor(_images(batch))
        heatmap, peaks = _arrays(graph(images))
        expected, expected_peaks = _arrays(layer(images))
        np.testing.assert_allclose(heatmap, expected, atol=1e-5 * np.abs(expected).max())
        np.testing.assert_array_equal(peaks, expected_peaks)
        assert heatmap.shape == (batch, 17, 24, 16) and peaks.dtype == np.int64
        np.testing.assert_array_equal(peaks, heatmap.reshape(batch, 17, -1).argmax(axis=-1))


def test_fused_normalisation_takes_pixels() -> None:
    model = _filled(lite_hrnet())
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 96, 64)).astype(np.float32)
    normalised = (pixels / 255 - np.reshape(MEAN, (3, 1, 1))) / np.reshape(STD, (3, 1, 1))
    plain = TopDownExport(model, MEAN, STD)(paddle.to_tensor(normalised.astype(np.float32)))[0].numpy()
    fused = TopDownExport(model, MEAN, STD, fuse_normalize=True)(paddle.to_tensor(pixels))[0].numpy()
    np.testing.assert_allclose(fused, plain, atol=1e-4 * np.abs(plain).max())


@pytest.mark.parametrize("make", [picodet_lcnet, pytest.param(picodet_legacy, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("post_process", "nms"), [(False, False), (True, False), (True, True)])
def test_picodet_in_three_forms(make, post_process: bool, nms: bool, tmp_path: Path) -> None:
    model = _filled(make(classes=2))
    model.head.nms.score_threshold = 0.3
    layer = PicoDetExport(model, post_process, nms)
    graph = paddle.jit.load(str(_save(layer, (96, 96), tmp_path)))
    for batch in (1, 2):
        inputs = [paddle.to_tensor(_images(batch, (96, 96)))]
        inputs += [paddle.to_tensor(np.full((batch, 2), 0.5, np.float32))] * nms
        given, expected = _arrays(graph(*inputs)), _arrays(layer(*inputs))
        assert [x.shape for x in given] == [x.shape for x in expected]
        for a, b in zip(given, expected):
            np.testing.assert_allclose(a, b, atol=2e-5 * max(1.0, np.abs(b).max(initial=0)))
        assert len(given) == (2 if post_process else 8)
    assert layer.arch == ("GFL" if post_process else "PicoDet")


def test_suppression_scales_boxes_to_the_image() -> None:
    model = _filled(picodet_lcnet())
    model.head.nms.score_threshold = 0.3
    layer = PicoDetExport(model)
    images = paddle.to_tensor(_images(1, (96, 96)))
    same, _ = layer(images, paddle.to_tensor([[1.0, 1.0]]))
    scaled, count = layer(images, paddle.to_tensor([[0.5, 0.25]]))  # factors are given y, x
    assert int(count[0]) == len(scaled) > 0
    np.testing.assert_allclose(scaled.numpy()[0, 2:] / same.numpy()[0, 2:], [4, 2, 4, 2], rtol=1e-4)


def test_decoded_boxes_are_the_formula() -> None:
    """One cell: softmax-weighted bins give the distances from its centre, in cells."""
    head = picodet_lcnet().head
    logits = np.zeros((1, 1, 32), np.float32)
    logits[0, 0, [0 * 8 + 1, 1 * 8 + 2, 2 * 8 + 3, 3 * 8 + 0]] = 50  # left 1, top 2, right 3, bottom 0 cells
    levels = [np.zeros((1, n, 32), np.float32) for n in (64, 16, 4)] + [logits]
    scores = [paddle.zeros([1, x.shape[1], 1]) for x in levels]
    boxes, _ = head.decode({"boxes": [paddle.to_tensor(x) for x in levels], "scores": scores}, (64, 64))
    np.testing.assert_allclose(boxes[0, -1].numpy(), [32 - 64, 32 - 128, 32 + 192, 32], atol=1e-3)
    uniform = 3.5 * 8  # mean of bins 0 to 7
    np.testing.assert_allclose(boxes[0, 0].numpy(), [4 - uniform, 4 - uniform, 4 + uniform, 4 + uniform], atol=1e-3)


def test_impossible_forms_are_explained() -> None:
    model = picodet_lcnet()
    with pytest.raises(ExportError, match="post_process: true"):
        PicoDetExport(model, post_process=False, nms=True)
    with pytest.raises(ExportError, match="mean and std"):
        PicoDetExport(model, fuse_normalize=True)
    model.head.nms = None
    with pytest.raises(ExportError, match="MultiClassNMS"):
        PicoDetExport(model)


@pytest.mark.parametrize("form", ["top-down", "raw", "decoded", "suppressed"])
def test_onnx(form: str, tmp_path: Path) -> None:
    paddle2onnx = pytest.importorskip("paddle2onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    if form == "top-down":
        layer, wh = TopDownExport(_filled(lite_hrnet()), MEAN, STD), WH
    else:
        model = _filled(picodet_lcnet())
        model.head.nms.score_threshold = 0.3
        layer, wh = PicoDetExport(model, form != "raw", form == "suppressed"), (96, 96)
    stem = _save(layer, wh, tmp_path)
    paddle2onnx.export(f"{stem}.json", f"{stem}.pdiparams", f"{stem}.onnx", opset_version=13)
    session = onnxruntime.InferenceSession(f"{stem}.onnx", providers=["CPUExecutionProvider"])
    for batch in (1,) if form == "suppressed" else (1, 3):  # paddle2onnx 2.1 fixes the batch of suppression at 1
        inputs = [_images(batch, wh)] + [np.full((batch, 2), 0.5, np.float32)] * (form == "suppressed")
        given = session.run(None, {i.name: x for i, x in zip(session.get_inputs(), inputs)})
        expected = _arrays(layer(*[paddle.to_tensor(x) for x in inputs]))
        assert [x.shape for x in given] == [x.shape for x in expected]
        for a, b in zip(given, expected):
            np.testing.assert_allclose(a, b, atol=1e-3 * max(1e-6, np.abs(b).max()))
