"""What every model promises; a new model adds a class with two lines."""

from __future__ import annotations

import copy

import numpy as np
import paddle
import pytest
from support.small_models import baseline, higher_hrnet, hrnet, lite_hrnet, lpn, picodet_lcnet, picodet_legacy, vit_pose

from ppdet.core.errors import ConfigError
from ppdet.modeling import (
    LPN,
    ESNet,
    HigherHRNet,
    HrHRNetHead,
    HrHRNetLoss,
    HRNet,
    KeyPointMSELoss,
    KeyPointOHKMMSELoss,
    LCNet,
    LiteHRNet,
    PixelShuffleHead,
    PoseResNet,
    SimpleBaseline,
    TopdownHeatmapSimpleHead,
    TopDownHRNet,
    ViT,
)

SIDE = 64


def _images(batch: int = 2, side: int = SIDE) -> paddle.Tensor:
    return paddle.to_tensor(np.random.default_rng(0).normal(size=(batch, 3, side, side)).astype(np.float32))


class TopDownContract:
    """Inherit, and say how the model is made."""

    def make(self, loss=None):
        raise AssertionError("a subclass says how its model is made")

    def batch(self):
        rng = np.random.default_rng(1)
        target = paddle.to_tensor(rng.random((2, 17, SIDE // 4, SIDE // 4), dtype=np.float32))
        return {"target": target, "target_weight": paddle.ones([2, 17])}

    def test_one_return_type_in_every_mode(self) -> None:
        model = self.make()
        for mode in (model.train, model.eval):
            mode()
            outputs = model(_images())
            assert list(outputs) == ["heatmap"]
            assert outputs["heatmap"].shape == [2, 17, SIDE // 4, SIDE // 4]

    def test_images_do_not_see_each_other_in_evaluation(self) -> None:
        model = self.make()
        model.eval()
        images = _images(3)
        together, alone = model(images)["heatmap"].numpy(), model(images[1:2])["heatmap"].numpy()
        np.testing.assert_allclose(together[1:2], alone, atol=1e-6 * max(1.0, float(np.abs(alone).max())))

    def test_every_parameter_learns(self) -> None:
        paddle.seed(0)
        model = self.make(KeyPointMSELoss())
        model.train()
        last = model.final_conv if hasattr(model, "final_conv") else model.head.final_layer
        for value in last.parameters():
            value.set_value(paddle.randn(value.shape))
        model.loss(model(_images()), self.batch())["loss"].backward()
        learning = {key: p.grad for key, p in model.named_parameters() if not key.endswith(("._mean", "._variance"))}
        idle = [key for key, gradient in learning.items() if gradient is None or not np.isfinite(gradient.numpy()).all()]
        assert learning and not idle

    @pytest.mark.parametrize("loss", [KeyPointMSELoss, KeyPointOHKMMSELoss])
    def test_steps_lower_the_loss(self, loss) -> None:
        paddle.seed(0)
        model = self.make(loss())
        model.train()
        optimizer = paddle.optimizer.Adam(2e-3, parameters=model.parameters())
        images, batch, values = _images(), self.batch(), []
        for _ in range(4):
            value = model.loss(model(images), batch)["loss"]
            value.backward()
            optimizer.step()
            optimizer.clear_grad()
            values.append(float(value))
        assert values[-1] < 0.95 * values[0], values

    def test_a_copy_shares_nothing(self) -> None:
        """Weight averaging copies models."""
        model = self.make()
        model.eval()
        copied, before = copy.deepcopy(model), model(_images())["heatmap"].numpy()
        for value in copied.parameters():
            value.set_value(paddle.zeros_like(value))
        np.testing.assert_array_equal(model(_images())["heatmap"], before)
        assert float(copied(_images())["heatmap"].abs().max()) == 0

    def test_training_without_a_loss_is_explained(self) -> None:
        model = self.make()
        with pytest.raises(ConfigError, match="without a loss.*KeyPointMSELoss"):
            model.loss({}, {})


class TestHRNet(TopDownContract):
    def make(self, loss=None):
        return hrnet(18, loss=loss)


class TestHRNetSqueezeExcitation(TopDownContract):
    def make(self, loss=None):
        return TopDownHRNet(HRNet(18, has_se=True, freeze_at=-1, freeze_norm=False, return_idx=[0]), loss=loss)


class TestLiteHRNet18(TopDownContract):
    def make(self, loss=None):
        return lite_hrnet("lite_18", loss=loss)


class TestNaiveLiteHRNet(TopDownContract):
    def make(self, loss=None):
        return lite_hrnet("naive", loss=loss)


class TestTinyPose(TopDownContract):
    def make(self, loss=None):
        return lite_hrnet("wider_naive", loss=loss)


class TestHRNetSmallV1(TopDownContract):
    def make(self, loss=None):
        return TopDownHRNet(HRNet(small="v1", freeze_at=-1, freeze_norm=False, return_idx=[0]), loss=loss)


class TestSimpleBaseline(TopDownContract):
    def make(self, loss=None):
        return baseline(PoseResNet(18), loss=loss)


class TestSimplePoseShuffleAndGates(TopDownContract):
    def make(self, loss=None):
        return baseline(PoseResNet(18, se_first=True), loss=loss, head="shuffle")


class TestLPN18h(TopDownContract):
    def make(self, loss=None):
        return lpn("18h", loss=loss)


class TestLPN50SqueezeExcitation(TopDownContract):
    def make(self, loss=None):
        return lpn("50", loss=loss, attention="SE")


class TestViTPose(TopDownContract):
    def make(self, loss=None):
        return vit_pose(loss=loss, img_size=[SIDE, SIDE], embed_dim=48, depth=2, num_heads=3)


@pytest.mark.parametrize("swahr", [False, True])
class TestHigherHRNet:
    def make(self, swahr: bool, loss: bool = True):
        return higher_hrnet(18, keypoints=5, swahr=swahr, loss=HrHRNetLoss(5, swahr) if loss else None)

    def batch(self):
        rng = np.random.default_rng(1)
        fields = {"mask": [2], "heatmap": [2, 5]}
        batch = {
            f"{name}_{scale}": rng.random((*shape, SIDE // cell, SIDE // cell), dtype=np.float32)
            for name, shape in fields.items()
            for scale, cell in (("1x", 4), ("2x", 2))
        }
        keypoints = np.stack([rng.integers(5 * (SIDE // 4) ** 2, size=(2, 3, 5)), rng.integers(2, size=(2, 3, 5))], axis=-1)
        return {name: paddle.to_tensor(value) for name, value in {**batch, "tag_joints": keypoints}.items()}

    def test_outputs(self, swahr: bool) -> None:
        model = self.make(swahr)
        shapes = {"heatmap_1x": 16, "tag": 16, "heatmap_2x": 32}
        for training in (True, False):
            model.train() if training else model.eval()
            expected = {**shapes, "scale_1x": 16, "scale_2x": 32} if swahr and training else shapes
            assert {k: list(v.shape) for k, v in model(_images()).items()} == {k: [2, 5, n, n] for k, n in expected.items()}

    def test_every_parameter_learns(self, swahr: bool) -> None:
        paddle.seed(0)
        model = self.make(swahr)
        model.train()
        model.loss(model(_images()), self.batch())["loss"].backward()
        gradients = {key: p.grad for key, p in model.named_parameters() if not key.endswith(("._mean", "._variance"))}
        assert not [key for key, gradient in gradients.items() if gradient is None or not np.isfinite(gradient.numpy()).all()]

    def test_steps_lower_the_loss(self, swahr: bool) -> None:
        paddle.seed(0)
        model, images, batch, values = self.make(swahr), _images(), self.batch(), []
        model.train()
        optimizer = paddle.optimizer.Adam(2e-3, parameters=model.parameters())
        for _ in range(4):
            losses = model.loss(model(images), batch)
            losses["loss"].backward()
            optimizer.step()
            optimizer.clear_grad()
            values.append(float(losses["loss"]))
        assert set(losses) == {"loss", "heatmap_loss", "pull_loss", "push_loss", *(["scale_loss"] if swahr else [])}
        assert values[-1] < 0.95 * values[0], values

    def test_training_without_a_loss_is_explained(self, swahr: bool) -> None:
        with pytest.raises(ConfigError, match="without a loss.*HrHRNetLoss"):
            self.make(swahr, loss=False).loss({}, {})


@pytest.mark.parametrize("exact", [False, True])
def test_scales_start_where_their_authors_start_them(exact: bool) -> None:
    head = HrHRNetHead(5, swahr=True, width=18, paddledet_exact=exact)
    maps = head(paddle.randn([2, 18, 16, 16]))
    for name in ("scale_1x", "scale_2x"):
        assert float((maps[name] - (0.0 if exact else 1.0)).abs().max()) <= (0.5 if exact else 0.0)


@pytest.mark.parametrize(
    "backbone",
    [
        lambda: PoseResNet(34),
        lambda: PoseResNet(50, "caffe"),
        lambda: LPN("34"),
        lambda: LPN("50", None),
        lambda: ViT([96, 96], embed_dim=32, depth=1, num_heads=2),
        lambda: ViT([96, 96], embed_dim=32, depth=1, num_heads=2, ratio=2),
        lambda: HRNet(18, freeze_norm=False),
        lambda: HRNet(18, return_idx=[1, 3]),
        lambda: LiteHRNet("lite_18"),
        lambda: LiteHRNet("naive", return_idx=[2]),
        lambda: LCNet(0.5, [2, 3, 4, 5]),
        lambda: LCNet(1.5, [4]),
        lambda: ESNet(0.75),
        lambda: ESNet(1.0, feature_maps=[0, 1, 2, 14]),
    ],
)
def test_out_shape_is_true(backbone) -> None:
    network = backbone()
    network.eval()
    features = network(_images(1, 96))
    given = [(f.shape[1], 96 // f.shape[2], 96 // f.shape[3]) for f in features]
    assert given == [(s.channels, s.stride, s.stride) for s in network.out_shape]


@pytest.mark.parametrize("make", [picodet_lcnet, picodet_legacy])
def test_picodet_outputs_by_level(make) -> None:
    model = make(classes=3)
    model.eval()
    outputs = model(_images(2, 96))
    cells = [12 * 12, 6 * 6, 3 * 3, 2 * 2]
    assert [list(x.shape) for x in outputs["scores"]] == [[2, n, 3] for n in cells]
    assert [list(x.shape) for x in outputs["boxes"]] == [[2, n, 32] for n in cells]
    boxes, scores = model.head.decode(outputs, (96, 96))
    assert boxes.shape == [2, sum(cells), 4] and scores.shape == [2, 3, sum(cells)]
    assert float(scores.min()) >= 0 and float(scores.max()) <= 1
    assert bool((boxes[:, :, 2:] >= boxes[:, :, :2]).all())


def test_freeze_at_stops_the_gradient() -> None:
    backbone = HRNet(18, freeze_at=0, freeze_norm=False, return_idx=[0])
    assert backbone(_images(1))[0].stop_gradient
    assert not HRNet(18, freeze_at=-1, freeze_norm=False, return_idx=[0])(_images(1))[0].stop_gradient


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HRNet(33), "width 33.*18, 30, 32"),
        (lambda: HRNet(18, return_idx=[1]), r"return_idx \[1\]"),
        (lambda: HRNet(18, upsample=True), "upsample: true"),
        (lambda: HRNet(18, downsample=True), "downsample: true"),
        (lambda: HRNet(small="v3"), "small 'v3'.*v1, v2"),
        (lambda: PoseResNet(49), "depth 49.*18, 34, 50"),
        (lambda: PoseResNet(50, "tf"), "'tf'.*pytorch, caffe"),
        (lambda: PoseResNet(18, "caffe"), "depth 18 has none"),
        (lambda: LPN("19"), "'19'.*18, 18h"),
        (lambda: LPN("50", "CBAM"), "'CBAM'.*GC, SE"),
        (lambda: ViT([250, 192]), r"\[250, 192\].*multiples of patch_size 16"),
        (lambda: ViT(num_heads=7), "multiple of num_heads 7"),
        (lambda: TopdownHeatmapSimpleHead(8, num_deconv_filters=[8]), "num_deconv_layers is 3.*1 filters"),
        (lambda: TopdownHeatmapSimpleHead(8, num_deconv_kernels=[5, 5, 5]), r"\[5, 5, 5\].*2, 3 or 4"),
        (lambda: TopdownHeatmapSimpleHead(8, extra={"final_kernel": 3}), "extra.final_kernel"),
        (lambda: PixelShuffleHead(), "in_channels is missing"),
        (lambda: SimpleBaseline(LPN("18"), PixelShuffleHead(64)), "takes 64 channels.*gives 512"),
        (lambda: LiteHRNet("lite_19"), "lite_19.*lite_18"),
        (lambda: LiteHRNet("naive", return_idx=[4]), r"return_idx \[4\]"),
        (lambda: LCNet(1.0, [1]), r"feature_maps \[1\]"),
        (lambda: ESNet(1.0, channel_ratio=[0.5]), "1 numbers.*13 units"),
        (lambda: TopDownHRNet(HRNet(18, return_idx=[0]), width=32), "width is 32.*18 channels"),
        (lambda: TopDownHRNet(HRNet(18, return_idx=[0]), num_joints=0), "num_joints is 0"),
        (lambda: HigherHRNet(HRNet(18, return_idx=[0]), HrHRNetHead(17)), "width is 32.*18 channels"),
        (lambda: HrHRNetHead(0), "num_joints is 0"),
    ],
)
def test_impossible_settings_are_explained(make, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()
