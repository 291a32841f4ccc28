"""State-dict keys, shapes and sizes are PaddleDetection's."""

from __future__ import annotations

import json

import pytest
from support.golden_cases import model_keys, reference_keys
from support.shared_data import shared
from support.small_models import PUBLISHED, baseline, higher_hrnet, hrnet, lite_hrnet, lpn, picodet_lcnet, picodet_legacy

from ppdet.modeling import PoseResNet
from ppdet.modeling.initializer import parameter_count


@pytest.mark.parametrize("name", PUBLISHED)
def test_keys_and_shapes(name: str) -> None:
    assert model_keys(PUBLISHED[name]()) == reference_keys(name)


@pytest.mark.parametrize(
    ("name", "make"), [("pose_resnet50", lambda: baseline(PoseResNet(50))), ("lpn50", lpn)], ids=["pose_resnet50", "lpn50"]
)
def test_keys_are_the_authors_but_for_a_prefix(name: str, make) -> None:
    """`backbone.` or `head.` before PyTorch's names; its layer norms have two more axes of one entry."""
    lines = shared("reference", "keys", "upstream", f"keys_torch_{name}.txt").read_text().splitlines()
    expected = {}
    for key, shape in (line.split(" ", 1) for line in lines):
        if not key.endswith("num_batches_tracked"):
            key = key.replace("running_mean", "_mean").replace("running_var", "_variance")
            expected[key] = [n for i, n in enumerate(json.loads(shape)) if i == 0 or "channel_add_conv.1." not in key]
    assert {key.split(".", 1)[1]: shape for key, shape in model_keys(make()).items()} == expected


@pytest.mark.parametrize(
    ("make", "millions"),
    [
        (hrnet, 28.536),
        (lambda: hrnet(48), 63.596),
        (higher_hrnet, 28.645331),
        (lambda: higher_hrnet(swahr=True), 28.649309),
        (lambda: higher_hrnet(48), 63.827139),
        (lambda: lite_hrnet("lite_18"), 1.1308),
        (lambda: lite_hrnet("lite_30"), 1.7637),
        (lite_hrnet, 1.3186),
        (lambda: lite_hrnet(keypoints=21), 1.3188),
        (picodet_lcnet, 1.1687 - 0.0128),  # listed with the last convolutions counted under both names
        (picodet_legacy, 0.962),
    ],
)
def test_parameter_counts(make, millions: float) -> None:
    assert parameter_count(make()) / 1e6 == pytest.approx(millions, abs=6e-4)


def test_shared_head_tensors_are_one_object() -> None:
    head = picodet_lcnet().head
    state = head.state_dict()
    state["head_cls_list.2.bias"].set_value(state["head_cls_list.2.bias"] * 0 + 3.0)
    assert float(state["head_cls2.bias"][0]) == 3.0
    assert len({id(p) for p in head.parameters()}) == len(head.parameters())
