"""The exported bottom-up graph: candidates as the codec's NumPy form, for any size, in every engine."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, List

import numpy as np
import paddle
import pytest
from support.golden_cases import fill_by_rule
from support.small_models import higher_hrnet

from ppdet.codecs.bottom_up_candidates import Candidates
from ppdet.core.errors import ExportError
from ppdet.modeling import BottomUpCandidates, BottomUpExport

FIRST, SECOND = (1, 128, 192), (2, 192, 64)  # images, height, width


def _layer(refine: bool = True, cell: int = 4, **options: Any) -> BottomUpExport:
    model = higher_hrnet(18)
    fill_by_rule(model)
    return BottomUpExport(model, SimpleNamespace(max_people=30, refine=refine, refine_cell=cell), **options)


def _images(batch: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).normal(size=(batch, 3, height, width)).astype(np.float32)


def _arrays(layer: Any, *given: np.ndarray) -> List[np.ndarray]:
    with paddle.no_grad():
        return [np.asarray(x) for x in layer(*map(paddle.to_tensor, given))]


def _maps(batch: int = 2, keypoints: int = 3, height: int = 16, width: int = 24, dims: int = 2, seed: int = 0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(batch, keypoints, height, width)).astype(np.float32), rng.normal(
        size=(batch, keypoints, height, width, dims)
    ).astype(np.float32)


def plain_offset(heat: np.ndarray, x: int, y: int) -> List[float]:
    height, width = heat.shape
    right, left = heat[y, min(x + 1, width - 1)], heat[y, max(x - 1, 0)]
    lower, upper = heat[min(y + 1, height - 1), x], heat[max(y - 1, 0), x]
    return [0.25 if right > left else -0.25, 0.25 if lower > upper else -0.25]


def plain_candidates(heat: np.ndarray, tags: np.ndarray, count: int, cell: int) -> List[np.ndarray]:
    """One image, pixel by pixel."""
    keypoints, height, width = heat.shape
    found: List[List[Any]] = [[] for _ in range(4)]
    cells: List[List[Any]] = [[] for _ in range(3)]
    for h, t in zip(heat, tags):
        window = [[h[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3].max() for x in range(width)] for y in range(height)]
        maxima = [(h[y, x], x, y) for y in range(height) for x in range(width) if h[y, x] == window[y][x] and h[y, x] > 0]
        best = sorted(maxima, reverse=True)[:count]
        rows = [[s for s, _, _ in best], [(x, y) for _, x, y in best]]
        rows += [[plain_offset(h, x, y) for _, x, y in best], [t[y, x] for _, x, y in best]]
        for given, row in zip(found, rows):
            given.append(row)
        values: List[List[Any]] = [[] for _ in range(3)]
        for top in range(0, height, cell):
            for left in range(0, width, cell):
                y, x = np.unravel_index(h[top : top + cell, left : left + cell].argmax(), (cell, cell))
                y, x = int(y) + top, int(x) + left
                dx, dy = plain_offset(h, x, y)
                for given, value in zip(values, (h[y, x], (x + dx, y + dy), t[y, x])):
                    given.append(value)
        for given, value in zip(cells, values):
            array = np.array(value, np.float32)
            given.append(array.reshape(height // cell, width // cell, *array.shape[1:]))
    return [*found, *(np.stack(x) for x in cells)]


@pytest.mark.parametrize(("cell", "dims"), [(1, 1), (4, 2), (8, 6)])
def test_candidates_of_maps(cell: int, dims: int) -> None:
    heat, tags = _maps(dims=dims)
    heat[1, 2] = -np.abs(heat[1, 2])  # nothing above zero
    heat[0, 0, 4:6, 4:6] = 9.0  # a plateau, each pixel of which counts
    given = _arrays(BottomUpCandidates(12, refine_cell=cell), heat, tags)
    for image in range(len(heat)):
        expected = plain_candidates(heat[image], tags[image], 12, cell)
        assert image == 0 or not expected[0][2]
        for k in range(heat.shape[1]):
            count = len(expected[0][k])
            order = np.lexsort((given[1][image, k, :count, 1], given[1][image, k, :count, 0], given[0][image, k, :count]))[::-1]
            assert not given[0][image, k, count:].any()
            for array, values in zip(given[:4], expected[:4]):
                np.testing.assert_array_equal(array[image, k][order], np.reshape(values[k], (count, *array.shape[3:])))
        for array, values in zip(given[4:], expected[4:]):
            np.testing.assert_array_equal(array[image], values)


def test_equal_maps_of_the_codec() -> None:
    """The codec's NumPy form is what the evaluator of a Paddle-free machine would use; both must give one answer."""
    codecs = pytest.importorskip("ppdet.codecs.associative_embedding")
    heat, tags = _maps()
    codec = codecs.AssociativeEmbeddingCodec(max_people=12)
    for graph, (h, t) in zip(Candidates.from_outputs(_arrays(BottomUpCandidates(12), heat, tags)), zip(heat, tags)):
        plain = codec.candidates(h, t)
        there = plain.score > 0
        for name in ("score", "xy", "offset", "tag"):
            np.testing.assert_array_equal(getattr(graph, name)[there], getattr(plain, name)[there], err_msg=name)
        for name in ("cell_score", "cell_xy", "cell_tag"):
            np.testing.assert_array_equal(getattr(graph, name), getattr(plain, name), err_msg=name)


def test_candidates_are_those_of_the_averaged_maps() -> None:
    layer, images = _layer(), _images(*FIRST)
    given = _arrays(layer, images)
    outputs = layer.model(paddle.to_tensor(images))
    up = paddle.nn.Upsample(scale_factor=2, mode="bilinear")
    heat = up((up(outputs["heatmap_1x"]) + outputs["heatmap_2x"]) / 2)
    tags = up(up(outputs["tag"]))
    for array, expected in zip(given, _arrays(BottomUpCandidates(30), heat.numpy(), tags.unsqueeze(-1).numpy())):
        np.testing.assert_allclose(array, expected, atol=1e-5)
    assert [x.shape for x in given] == [
        (1, 17, 30), (1, 17, 30, 2), (1, 17, 30, 2), (1, 17, 30, 1), (1, 17, 32, 48), (1, 17, 32, 48, 2), (1, 17, 32, 48, 1)
    ]  # fmt: skip


def test_a_nan_in_a_map_is_seen() -> None:
    heat, tags = _maps()
    heat[1, 1, 5, 5] = np.nan
    score = _arrays(BottomUpCandidates(12), heat, tags)[0]
    assert np.isnan(score[1, 1]).all() and np.isfinite(score[0]).all() and np.isfinite(score[1, [0, 2]]).all()


def test_fused_normalisation_takes_pixels() -> None:
    layer, fused = _layer(), _layer(fuse_normalize=True)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 3, 64, 128)).astype(np.float32)
    mean, std = np.reshape([0.485, 0.456, 0.406], (3, 1, 1)), np.reshape([0.229, 0.224, 0.225], (3, 1, 1))
    plain = _arrays(layer, ((pixels / 255 - mean) / std).astype(np.float32))
    np.testing.assert_allclose(_arrays(fused, pixels)[4], plain[4], atol=1e-4)


def test_impossible_settings_are_explained() -> None:
    with pytest.raises(ExportError, match="refine_cell 0"):
        BottomUpCandidates(30, refine_cell=0)


@pytest.fixture(scope="module", params=[True, pytest.param(False, marks=pytest.mark.slow)], ids=["refine", "plain"])
def exported(request, tmp_path_factory) -> Any:
    layer, folder = _layer(request.param), tmp_path_factory.mktemp("higher_hrnet")
    paddle.jit.save(layer, str(folder / "model"), input_spec=layer.input_spec())
    return layer, folder


@pytest.mark.parametrize("engine", ["paddle", "onnxruntime", "openvino"])
def test_engines_agree_at_any_size(exported: Any, engine: str) -> None:
    from ppdet.engine.export.onnx_conversion import convert_to_onnx
    from ppdet.inference.runtimes import load_runtime

    layer, folder = exported
    if engine != "paddle":
        pytest.importorskip(engine)
        pytest.importorskip("paddle2onnx")
        if not (folder / "model.onnx").exists():
            convert_to_onnx(folder / "model.json", folder / "model.pdiparams", folder / "model.onnx", layer.output_names)
    runtime = load_runtime(folder, engine=engine)
    for shape in (FIRST, SECOND):
        images = _images(*shape)
        pairs = zip(Candidates.from_outputs(runtime.run({"image": images})), Candidates.from_outputs(_arrays(layer, images)))
        for given, expected in pairs:
            _assert_same(given, expected)


def _assert_same(given: Candidates, expected: Candidates) -> None:
    """Candidates are compared as sets: two of nearly the same score may change places."""
    np.testing.assert_allclose(given.score, expected.score, atol=1e-4)
    found = 0
    for k in range(expected.num_keypoints):
        rows = [np.concatenate([c.xy[k], c.offset[k], c.tag[k]], axis=1)[c.score[k] > 0.1] for c in (given, expected)]
        rows = [row[np.lexsort(row[:, :2].T)] for row in rows]
        np.testing.assert_allclose(rows[0], rows[1], atol=1e-3)
        found += len(rows[1])
    assert found > 20
    if expected.cell_score is None:
        assert given.cell_score is None
        return
    np.testing.assert_allclose(given.cell_score, expected.cell_score, atol=1e-4)
    same = np.isclose(given.cell_xy, expected.cell_xy).all(axis=-1)
    assert same.mean() > 0.999  # two pixels of one value
    np.testing.assert_allclose(given.cell_tag[same], expected.cell_tag[same], atol=1e-3)


class _WithAWeight(BottomUpCandidates):
    """An engine takes no program without weights."""

    def __init__(self) -> None:
        super().__init__(12)
        self.shift = self.create_parameter([1], default_initializer=paddle.nn.initializer.Constant(1.0))

    def forward(self, heat, tags):
        return super().forward(heat + self.shift, tags)


@pytest.mark.parametrize("engine", ["paddle", "onnxruntime", "openvino"])
def test_a_nan_in_a_map_reaches_the_caller_of_every_engine(engine: str, tmp_path: Path) -> None:
    """What becomes of a NaN inside the network differs (some engines' ReLU makes it 0); one in the maps must be told."""
    from ppdet.engine.export.onnx_conversion import convert_to_onnx
    from ppdet.inference.runtimes import load_runtime

    specs = [paddle.static.InputSpec([-1, 3, -1, -1], name="heat"), paddle.static.InputSpec([-1, 3, -1, -1, 2], name="tags")]
    paddle.jit.save(_WithAWeight(), str(tmp_path / "model"), input_spec=specs)
    if engine != "paddle":
        pytest.importorskip(engine)
        pytest.importorskip("paddle2onnx")
        files = (tmp_path / f"model.{ending}" for ending in ("json", "pdiparams", "onnx"))
        convert_to_onnx(*files, ["score", "xy", "offset", "tag", "cell_score", "cell_xy", "cell_tag"])
    heat, tags = _maps()
    heat[1, 1, 5, 5] = np.nan
    score = load_runtime(tmp_path, engine=engine).run({"heat": heat, "tags": tags})[0]
    assert np.isnan(score[1, 1]).all() and np.isfinite(score[0]).all() and np.isfinite(score[1, [0, 2]]).all()
