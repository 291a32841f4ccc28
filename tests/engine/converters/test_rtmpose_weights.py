"""MMPose's RTMPose files: every tensor, its numbers, and what is said about decoding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from support.key_lists import upstream
from support.simcc_models import SIZES, rtmpose
from support.torch_writer import random_state, write_zip

from ppdet.core.config.load import load_config
from ppdet.core.errors import CheckpointError
from ppdet.engine.assembly import Assembly
from ppdet.engine.converters.conversion import LAYOUTS, check_targets, convert
from ppdet.engine.converters.convert_file import convert_file
from ppdet.engine.converters.feed_check import feed_differences
from ppdet.engine.converters.feeds import FEEDS
from ppdet.engine.converters.layout import without_mmpose
from ppdet.engine.weights.torch_file import TorchFile

LINEAR = ("mlp.1.weight", "gau.uv.weight", "gau.o.weight", "cls_x.weight", "cls_y.weight")


def _targets(size: str) -> dict:
    return {key: tuple(value.shape) for key, value in rtmpose(size).state_dict().items()}


@pytest.mark.parametrize("size", SIZES)
def test_files_convert_whole(size: str, tmp_path: Path) -> None:
    state = random_state(upstream(f"rtmpose_{size}"))
    file = TorchFile(write_zip(tmp_path / "w.pth", {"meta": {"epoch": 420}, "state_dict": state}))
    conversion = check_targets(convert(file), _targets(size), f"RTMPose-{size}")
    assert (conversion.layout.name, conversion.home) == ("rtmpose", "rtmpose")
    assert conversion.network.name == f"RTMPose-{size} with 384 x 512 bins, 17 keypoints"
    assert conversion.network.configs == (f"configs/keypoint/rtmpose/rtmpose_{size}_256x192.yml",)
    renaming = conversion.renaming
    assert set(renaming.targets) | set(renaming.dropped) == set(state)
    assert all(key.endswith("num_batches_tracked") for key in renaming.dropped)
    for key, target in renaming.targets.items():
        expected = state[key].T if key.endswith(LINEAR) else state[key]
        np.testing.assert_array_equal(conversion.weights[target], expected, err_msg=key)


def test_no_other_layout_takes_it() -> None:
    keys = without_mmpose(list(upstream("rtmpose_t")))
    assert [layout.name for layout in LAYOUTS if layout.fits(keys)] == ["rtmpose"]


def test_converted_weights_compute_what_the_formulas_say(tmp_path: Path) -> None:
    """The file's own matrices, multiplied as PyTorch does (x W^T), give the classifier's outputs."""
    state = random_state(upstream("rtmpose_t"))
    file = TorchFile(write_zip(tmp_path / "w.pth", {"state_dict": state}))
    model = rtmpose("t")
    model.set_state_dict(convert(file).weights)
    import paddle

    tokens = np.random.default_rng(0).normal(size=(1, 17, 256)).astype(np.float32)
    x = model.head.cls_x(paddle.to_tensor(tokens)).numpy()
    np.testing.assert_allclose(x, tokens @ state["head.cls_x.weight"].T, rtol=1e-3, atol=1e-3)


def test_the_command_writes_weights_that_load_and_a_note(tmp_path: Path) -> None:
    state = random_state(upstream("rtmpose_t"))
    path = write_zip(tmp_path / "rtmpose-t.pth", {"state_dict": state})
    config = "configs/keypoint/rtmpose/rtmpose_t_256x192.yml"
    convert_file(str(path), config=config)
    note = yaml.safe_load((tmp_path / "rtmpose-t.feed.yml").read_text())
    assert note["codec"]["name"] == "SimCCCodec" and note["codec"]["decoder"] == "argmax"
    from ppdet.engine.weights.checkpoint import load_pretrained

    load_pretrained(Assembly(load_config(config)).model(), str(tmp_path / "rtmpose-t.pdparams"), strict=True)


def test_differences_of_decoding_are_told() -> None:
    config = load_config("configs/keypoint/rtmpose/rtmpose_t_256x192.yml")
    remarks = feed_differences(config, Assembly(config).codec, FEEDS["rtmpose"])
    assert remarks == ["for the figures of open-mmlab/mmpose: -o codec.decoder=argmax codec.flip_shift=0.0"]
    exact = load_config("configs/keypoint/rtmpose/rtmpose_t_256x192.yml", ["codec.decoder=argmax", "codec.flip_shift=0.0"])
    assert feed_differences(exact, Assembly(exact).codec, FEEDS["rtmpose"]) == []


def test_other_keypoints_have_no_config(tmp_path: Path) -> None:
    shapes = {**upstream("rtmpose_m"), "head.final_layer.weight": (26, 768, 7, 7), "head.final_layer.bias": (26,)}
    conversion = convert(TorchFile(write_zip(tmp_path / "w.pth", {"state_dict": random_state(shapes)})))
    assert conversion.network.name == "RTMPose-m with 384 x 512 bins, 26 keypoints" and conversion.network.configs == ()
    with pytest.raises(CheckpointError, match=r"head.final_layer.weight: \[26, 768, 7, 7\] in the file"):
        check_targets(conversion, _targets("m"), "RTMPose-m")


def test_a_backbone_alone(tmp_path: Path) -> None:
    """As trained for heatmaps before: its head is left out."""
    shapes = {k: s for k, s in upstream("rtmpose_t").items() if k.startswith("backbone.")}
    heatmaps = {"head.final_layer.weight": (17, 384, 1, 1), "head.final_layer.bias": (17,)}
    conversion = convert(TorchFile(write_zip(tmp_path / "w.pth", {"state_dict": random_state({**shapes, **heatmaps})})))
    checked = check_targets(conversion, _targets("t"), "RTMPose-t")
    assert checked.network.name == "CSPNeXt-t, backbone alone" and set(checked.renaming.dropped) >= set(heatmaps)
    assert "12 of the head keep their initial values" in checked.remarks[-1]


def test_a_network_with_a_neck_is_not_taken(tmp_path: Path) -> None:
    """RTMW has the same backbone and head names, and a neck between them."""
    shapes = {**upstream("rtmpose_t"), "neck.conv.weight": (384, 384, 1, 1)}
    with pytest.raises(CheckpointError, match="neck"):
        convert(TorchFile(write_zip(tmp_path / "w.pth", {"state_dict": random_state(shapes)})), layout="rtmpose")
    with pytest.raises(CheckpointError, match="not known"):
        convert(TorchFile(write_zip(tmp_path / "w.pth", {"state_dict": random_state(shapes)})))
