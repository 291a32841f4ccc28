"""Every system, small: built from its config, one step that lowers the loss, export, reload, the same keypoints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("paddle")

import paddle  # noqa: E402
from support.golden_cases import fill_by_rule  # noqa: E402

from ppdet.core.config.load import load_config  # noqa: E402
from ppdet.engine.assembly import Assembly  # noqa: E402
from ppdet.inference.estimators.top_down import TopDownEstimator  # noqa: E402
from ppdet.inference.runtimes import load_runtime  # noqa: E402

KEYPOINT = Path(__file__).resolve().parents[2] / "configs" / "keypoint"
SMALL = ["codec.input_wh=[64,64]", "codec.heatmap_wh=[16,16]", "codec.sigma=1"]
SHALLOW = ["PoseResNet.depth=18"]
# configs of each system, made smaller where depth is all that is lost; what follows a + is only for telling two apart
FAST = {
    "lpn/lpn_18h_256x192": [],
    "hrnet/hrnet_w18_small_v1_256x192": [],
    "simple_pose/resnet50_se_duc_256x192": SHALLOW,
    "vit_pose/vitpose_base_coco_256x192": ["ViT.img_size=[64,64]", "ViT.depth=2", "ViT.embed_dim=48", "ViT.num_heads=3"],
}
SLOW = {
    "simple_baseline/resnet50_256x192": [],
    "simple_baseline/resnet50_caffe_256x192": [],
    "simple_baseline/resnet50_256x256_mpii": [],
    "simple_pose/resnet50_dconv_256x192": [],
    "simple_pose/resnet50_duc_256x192": [],
    "simple_pose/resnet50_se_dconv_256x192": [],
    "lpn/lpn_18_256x192": [],
    "lpn/lpn_34h_256x192": [],
    "lpn/lpn_50_256x192": [],
    "lpn/lpn_101_256x192": [],
    "lpn/lpn_50_256x192+SE": ["LPN.attention=SE"],
    "hrnet/hrnet_w32_256x192": ["HRNet.width=18"],
    "hrnet/hrnet_w18_small_v2_softargmax_256x192": [],
    "dark/darkpose_hrnet_w32_256x192": ["HRNet.width=18"],
    "lite_hrnet/lite_hrnet_18_256x192_coco": [],
    "lite_hrnet/naive_hrnet_18_256x192_coco": [],
    "tiny_pose/tinypose_128x96": [],
    "tiny_pose/tinypose_256x256_hand": [],
    "vit_pose/vitpose_base_simple_coco_256x192": ["ViT.img_size=[64,64]", "ViT.depth=2", "ViT.embed_dim=48", "ViT.num_heads=3"],
}
CASES = [pytest.param(n, o, id=n) for n, o in FAST.items()]
CASES += [pytest.param(n, o, id=n, marks=pytest.mark.slow) for n, o in SLOW.items()]


def assemble(name: str, options: list) -> Assembly:
    return Assembly(load_config(KEYPOINT / f"{name.partition('+')[0]}.yml", [*SMALL, *options]))


def figures(assembly: Assembly, count: int = 2) -> dict:
    """A batch of noise with targets of keypoints in it."""
    rng = np.random.default_rng(0)
    keypoints = assembly.skeleton.num_keypoints
    target, weight = assembly.codec.encode(rng.uniform(8, 56, (count, keypoints, 2)), np.ones((count, keypoints)))
    image = rng.normal(size=(count, 3, 64, 64)).astype(np.float32)
    return {key: paddle.to_tensor(value) for key, value in (("image", image), ("target", target), ("target_weight", weight))}


@pytest.mark.parametrize(("name", "options"), CASES)
def test_learns_and_is_the_same_when_deployed(name: str, options: list, tmp_path: Path) -> None:
    paddle.seed(0)
    assembly = assemble(name, options)
    model, batch = assembly.model(), figures(assembly)
    learns(assembly, model, batch)
    fill_by_rule(model)  # heatmaps with peaks
    form = assembly.task.deployed_form(assembly, model)
    paddle.jit.save(form.layer, str(tmp_path / "model"), input_spec=form.input_spec)
    form.card.write(tmp_path)
    pixels = np.random.default_rng(1).integers(0, 256, (90, 120, 3), np.uint8)
    boxes = np.array([[10, 5, 60, 80], [40, 20, 110, 85]], float)
    here, scores = TopDownEstimator(form.runtime(), form.card, flip_test=True).estimate(pixels, boxes)
    runtime = load_runtime(tmp_path, "paddle")
    there, scores_there = TopDownEstimator(runtime, type(form.card).load(tmp_path), flip_test=True).estimate(pixels, boxes)
    np.testing.assert_allclose(there, here, atol=0.02)
    np.testing.assert_allclose(scores_there, scores, atol=1e-4 * np.abs(scores).max())
    assert np.ptp(here) > 5, "the keypoints lie apart"


def learns(assembly: Assembly, model: paddle.nn.Layer, batch: dict) -> None:
    """Six small steps of the recipe's own optimizer lower the loss."""
    model.train()
    optimizer = assembly.builder.build("OptimizerBuilder")(2e-4, model)
    losses = []
    for _ in range(6):
        loss = model.loss(model(batch["image"]), batch)["loss"]
        loss.backward()
        optimizer.step()
        optimizer.clear_grad()
        losses.append(float(loss))
    assert losses[-1] < losses[0] and np.isfinite(losses).all(), losses
