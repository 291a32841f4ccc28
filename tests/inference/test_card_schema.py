"""Whatever an infer_cfg.yml holds: a card, or a message that names the file."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.planted_models import pose_card

from ppdet.codecs import HeatmapCodec
from ppdet.core.errors import ModelDirError, PpdetError
from ppdet.inference.model_card import ModelCard

DETECTOR: dict[str, Any] = {
    "mode": "paddle", "draw_threshold": 0.5, "metric": "COCO", "arch": "PicoDet", "min_subgraph_size": 3,
    "Preprocess": [
        {"type": "Resize", "interp": 2, "keep_ratio": False, "target_size": [192, 192]},
        {"type": "NormalizeImage", "is_scale": True, "mean": [0.4, 0.4, 0.4], "std": [0.2, 0.2, 0.2]},
        {"type": "Permute"}, {"type": "PadStride", "stride": 32},
    ],
    "label_list": ["person"], "fpn_stride": [8, 16],
    "NMS": {"name": "MultiClassNMS", "score_threshold": 0.3, "nms_threshold": 0.5, "nms_top_k": 1000, "keep_top_k": 100},
}  # fmt: skip


def load(folder: Path, content: Any) -> ModelCard:
    text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
    (folder / "infer_cfg.yml").write_bytes(text.encode("utf-8", "surrogatepass"))
    return ModelCard.load(folder)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("Preprocess", 0, "target_size"), [30000, 30000], r"Preprocess\[0\] \(Resize\).target_size\[0\] is 30000"),
        (("Preprocess", 0, "target_size"), -1, "target_size is -1, expected a list|expected"),
        (("Preprocess", 0, "interp"), 99, "interp is 99, expected a whole number from 0 to 4"),
        (("Preprocess", 1, "std"), [0, 0, 0], r"std\[0\] is 0"),
        (("Preprocess", 1, "mean"), [float("nan")] * 3, r"mean\[0\] is nan"),
        (("Preprocess", 1, "mean"), None, "mean is None, expected a list"),
        (("Preprocess",), "x", "Preprocess is 'x', expected a list"),
        (("arch",), ["HRNet"], "arch is .'HRNet'., expected a text"),
        (("NMS", "score_threshold"), "x", "NMS.score_threshold is 'x'"),
        (("fpn_stride",), [0], r"fpn_stride\[0\] is 0"),
        (("label_list",), "person", "label_list is 'person', expected a list"),
        (("codec",), {"name": "HeatmapCodec", "input_wh": [64, 64], "blur_kernel": 10_000_001}, "blur_kernel is 10000001"),
        (("codec",), {"name": "HeatmapCodec", "input_wh": [64, 64], "heatmap_wh": [10**9, 10**9]}, r"heatmap_wh\[0\]"),
        (("codec",), {"name": "os.system"}, "codec 'os.system' is not known"),
        (("skeleton",), {"keypoints": [{"name": "a", "sigma": "x"}]}, "sigma is 'x', expected a number"),
        (("skeleton",), "../../etc/passwd", "unknown name"),
    ],
)
def test_wrong_values_are_named(tmp_path: Path, path: tuple, value: Any, words: str) -> None:
    content: Any = copy.deepcopy(DETECTOR)
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ModelDirError, match=words) as caught:
        load(tmp_path, content)
    assert "infer_cfg.yml" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "\0\x01", "[" * 500, "a: !X {b: 1}", "arch: !X {b: 1}\nPreprocess: [{type: Permute}]", "- 1", "arch: HRNet"]
    + ["a: &a [*a]", f"arch: {'9' * 5000}"],
)  # fmt: skip
def test_texts_that_are_no_card(tmp_path: Path, text: str) -> None:
    with pytest.raises(ModelDirError, match=r"infer_cfg\.yml"):
        load(tmp_path, text)


def test_cards_keep_the_older_name_of_alignment_and_read_both(tmp_path: Path) -> None:
    card = pose_card()
    card.codec = HeatmapCodec((64, 96), (16, 24), alignment="udp")
    content = card.to_dict()
    assert content["codec"]["crop"] == "udp" and "alignment" not in content["codec"]
    assert load(tmp_path, content).codec.alignment == "udp"
    content["codec"]["alignment"] = content["codec"].pop("crop")
    assert load(tmp_path, content).codec.alignment == "udp"
    content["codec"]["crop"] = "affine"
    with pytest.raises(ModelDirError, match="crop is the older name of alignment"):
        load(tmp_path, content)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "HRNet", "name", "x", "../..", "\ud800", "5"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["name", "type", "x"]), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=250, deadline=None)
@given(st.booleans(), st.lists(st.tuples(st.integers(0, 10**6), VALUES), min_size=1, max_size=3))
def test_no_card_ends_in_a_traceback(pose: bool, changes: list[tuple[int, Any]]) -> None:
    content: Any = pose_card().to_dict() if pose else copy.deepcopy(DETECTOR)
    for pick, value in changes:
        places = list(walk(content))
        place, key = places[pick % len(places)]
        place[key] = value
    try:
        card = ModelCard.from_dict(content, Path("here"))
    except PpdetError:
        return
    assert card.to_dict()["arch"] == content["arch"]


def walk(node: Any):
    """(container, key) of every value."""
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        yield node, key
        if isinstance(value, (dict, list)):
            yield from walk(value)
