"""Parts of FairMOT without the network: decoding against PaddleDetection's, sizes of the classifier, batches without people."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import paddle
import pytest
from support.golden_cases import golden_arrays

from ppdet import modeling as m
from ppdet.core.errors import ConfigError
from ppdet.engine.weights.checkpoint import load_pretrained, save_pdparams
from ppdet.modeling.export.fairmot import FairMOTExport
from ppdet.modeling.necks.centernet_fpn import _upsampling
from ppdet.modeling.shape_spec import ShapeSpec

SHAPE = [ShapeSpec(8, 4)]


class Planted(paddle.nn.Layer):
    """Gives maps, whatever the image."""

    def __init__(self, maps: dict, **settings: object) -> None:
        super().__init__()
        self.detector = SimpleNamespace(post_process=m.CenterNetPostProcess(**settings))
        self.maps = {name: paddle.to_tensor(array) for name, array in maps.items()}
        self.reid = m.FairMOTEmbeddingHead(ch_emb=4, input_shape=SHAPE)

    def forward(self, image: paddle.Tensor) -> dict:
        return self.maps


def test_decoding_is_paddledetections() -> None:
    golden = golden_arrays("detect_ops")
    maps = {name: golden[f"centernet/{name}"] for name in ("heatmap", "size", "offset")}
    looks = np.random.default_rng(0).normal(size=(1, 4, 24, 40)).astype(np.float32)
    export = FairMOTExport(Planted({**maps, "reid": looks}))
    feeds = [np.zeros((1, 3, 96, 160), np.float32), golden["centernet/im_shape"], golden["centernet/scale_factor"]]
    found, embeddings = (np.asarray(each) for each in export(*map(paddle.to_tensor, feeds)))
    count = len(golden["centernet/dets"])
    np.testing.assert_allclose(found[:count], golden["centernet/dets"], atol=1e-3)
    assert (found[count:, 1] == 0).all()
    at = looks[0].reshape(4, -1)[:, golden["centernet/inds"]].T
    np.testing.assert_allclose(embeddings[:count], at / np.linalg.norm(at, axis=1, keepdims=True), atol=1e-5)


def test_padding_of_half_a_pixel_is_where_the_letterbox_put_it() -> None:
    """Of an odd padding the smaller half comes first; PaddleDetection takes the mean, half a pixel off."""
    maps = {"heatmap": np.zeros((1, 1, 8, 8), np.float32), "size": np.ones((1, 4, 8, 8), np.float32),
            "offset": np.zeros((1, 2, 8, 8), np.float32), "reid": np.ones((1, 4, 8, 8), np.float32)}  # fmt: skip
    maps["heatmap"][0, 0, 4, 4] = 1
    export = FairMOTExport(Planted(maps, max_per_img=1))
    feeds = [np.zeros((1, 3, 32, 32)), np.array([[21.0, 32.0]]), np.ones((1, 2))]
    rows, _ = export(*(paddle.to_tensor(feed.astype(np.float32)) for feed in feeds))
    np.testing.assert_allclose(np.asarray(rows)[0, 2:], [12, 12 - 5, 20, 20 - 5])


def test_the_classifier_has_the_size_of_the_file_that_is_run(tmp_path) -> None:
    def network(count: int) -> paddle.nn.Layer:
        layer = paddle.nn.Layer()
        layer.reid = m.FairMOTEmbeddingHead(ch_emb=4, num_identities_dict={0: count}, input_shape=SHAPE)
        return layer

    trained, fresh = network(7), network(3)
    path = save_pdparams(trained.state_dict(), tmp_path / "trained.pdparams")
    load_pretrained(fresh, path, strict=True)
    assert fresh.reid.num_identities == 7
    np.testing.assert_array_equal(np.asarray(fresh.reid.classifier.weight), np.asarray(trained.reid.classifier.weight))
    pretrained = network(3)
    load_pretrained(pretrained, path)  # to train on: the dataset's number stays
    assert pretrained.reid.num_identities == 3


def test_identities_that_are_unknown_teach_nothing_and_two_are_told_apart() -> None:
    head = m.FairMOTEmbeddingHead(ch_emb=4, num_identities_dict={0: 2}, input_shape=SHAPE)
    assert head.scale == 1.0  # sqrt(2) log(2 - 1) would be 0, and nothing be learned
    looks = paddle.randn([1, 4, 6, 6])
    looks.stop_gradient = False
    batch = {"center_index": paddle.to_tensor([[3, 5]]), "center_mask": paddle.ones([1, 2])}
    batch["center_identity"] = paddle.to_tensor([[-1, -1]])
    loss = head.loss(looks, batch)["reid_loss"]
    loss.backward()
    assert float(loss) == 0 and head.classifier.weight.grad is not None
    batch["center_identity"] = paddle.to_tensor([[-1, 1]])
    assert float(head.loss(looks, batch)["reid_loss"]) == pytest.approx(np.log(2), abs=0.02)


def test_nobody_in_the_batch_has_finite_losses() -> None:
    head = m.CenterNetHead(num_classes=1, input_shape=SHAPE)
    outputs = head(paddle.randn([2, 8, 6, 6]))
    assert float(outputs["heatmap"].mean()) < 0.3
    shape = {"center_index": [2, 5], "center_mask": [2, 5], "center_size": [2, 5, 4], "center_offset": [2, 5, 2]}
    batch = {name: paddle.zeros(size) for name, size in shape.items()}
    losses = head.loss(outputs, {**batch, "center_heatmap": paddle.zeros([2, 1, 6, 6])})
    assert all(np.isfinite(float(value)) for value in losses.values()) and float(losses["size_loss"]) == 0


def test_upsampling_starts_bilinear() -> None:
    ramp = paddle.arange(8, dtype="float32").reshape([1, 1, 1, 8]).expand([1, 2, 8, 8])
    for factor in (2, 4):
        enlarged = np.asarray(_upsampling(2, factor)(ramp))[0, 0, 4 * factor]
        np.testing.assert_allclose(np.diff(enlarged)[factor:-factor], 1 / factor, atol=1e-5)


@pytest.mark.parametrize("make", [
    lambda: m.DLA(depth=60), lambda: m.CenterNetDLAFPN([16, 32, 64, 128, 256, 512], dcn_v2=False),
    lambda: m.CenterNetDLAFPN([16, 32, 64], last_level=5), lambda: m.CenterNetDLAFPN([16, 32, 64, 128], down_ratio=3),
    lambda: m.CenterNetHead(8, add_iou=True), lambda: m.CenterNetHead(8, loss_weight={"hm": 1.0}),
    lambda: m.FairMOTEmbeddingHead(8, num_identities_dict={0: 5, 1: 6}), lambda: m.CenterNetPostProcess(max_per_img=0),
])  # fmt: skip
def test_what_is_not_here_is_refused(make) -> None:
    with pytest.raises(ConfigError):
        make()
