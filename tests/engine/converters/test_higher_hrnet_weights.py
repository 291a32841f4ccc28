"""The authors' HigherHRNet and SWAHR files fill our networks, and mean the same there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle
import pytest
from support.key_lists import upstream
from support.small_models import higher_hrnet
from support.torch_writer import random_state, write_zip

from ppdet.engine.converters.conversion import convert
from ppdet.engine.weights.torch_file import TorchFile


@pytest.mark.parametrize(("name", "swahr"), [("higherhrnet_w32", False), ("swahr_w32", True)])
def test_every_tensor_is_filled(name: str, swahr: bool, tmp_path: Path) -> None:
    conversion = convert(TorchFile(write_zip(tmp_path / "w.pth", {"state_dict": random_state(upstream(name))})))
    model = higher_hrnet(swahr=swahr)
    assert set(model.state_dict()) == set(conversion.weights)
    missing, unexpected = model.set_state_dict(conversion.weights)
    assert not missing and not unexpected
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), conversion.weights[key], err_msg=key)
    stem = f"higherhrnet_hrnet_w32_512{'_swahr' if swahr else ''}"
    assert f"configs/keypoint/higherhrnet/{stem}.yml" in conversion.network.configs


def test_crowdpose_is_seen_by_its_keypoints(tmp_path: Path) -> None:
    shapes = upstream("swahr_w32")
    for key in shapes:
        if key.startswith(("final_", "deconv_", "conv_scale_")):
            shapes[key] = tuple({17: 14, 34: 28, 66: 60}.get(n, n) for n in shapes[key])
    conversion = convert(TorchFile(write_zip(tmp_path / "w.pth", {"state_dict": random_state(shapes)})))
    assert conversion.network.keypoints == 14
    assert conversion.network.configs == ("configs/keypoint/higherhrnet/higherhrnet_hrnet_w32_512_swahr_crowdpose.yml",)
    model = higher_hrnet(keypoints=14, swahr=True)
    assert model.set_state_dict(conversion.weights) == ([], [])


def test_the_authors_zero_scale_is_our_one(tmp_path: Path) -> None:
    """Their last convolution gives scale - 1, from zero weights at first; ours the scale."""
    state = random_state(upstream("swahr_w32"))
    for key in state:
        if key.startswith("conv_scale_layers.") and ".3." in key:
            state[key] = np.zeros_like(state[key])
    conversion = convert(TorchFile(write_zip(tmp_path / "w.pth", {"state_dict": state})))
    head = higher_hrnet(swahr=True).hrhrnet_head
    head.set_state_dict({k.split(".", 1)[1]: v for k, v in conversion.weights.items() if k.startswith("hrhrnet_head.")})
    head.train()
    outputs = head(paddle.randn([2, 32, 8, 8]))
    for name in ("scale_1x", "scale_2x"):
        np.testing.assert_array_equal(outputs[name].numpy(), np.ones_like(outputs[name].numpy()))
