"""Which metric a config's words mean."""

from __future__ import annotations

import json
import textwrap

import pytest

from ppdet.core.config import load_config
from ppdet.core.errors import ConfigError
from ppdet.engine.assembly import Assembly

CODECS = {
    "bottom_up": "{name: AssociativeEmbeddingCodec, input_wh: [64, 64]}",
    "top_down": "{name: HeatmapCodec, input_wh: [64, 96], heatmap_wh: [16, 24]}",
}


def assembly(folder, codec, *lines, joints=17):
    truth = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "person", "keypoints": ["a"]}]}
    (folder / "truth.json").write_text(json.dumps(truth))
    dataset = "KeypointBottomUpCocoDataset" if codec == "bottom_up" else "KeypointTopDownCocoDataset"
    text = f"""
    architecture: TopDownHRNet
    TopDownHRNet: {{backbone: HRNet}}
    num_joints: {joints}
    codec: {CODECS[codec]}
    EvalDataset: !{dataset} {{dataset_dir: {folder.as_posix()}, anno_path: truth.json, num_joints: {joints}}}
    """
    file = folder / "config.yml"
    file.write_text("\n".join([textwrap.dedent(text), *lines]))
    return Assembly(load_config(file))


@pytest.mark.parametrize(
    ("codec", "lines", "expected"),
    [
        ("bottom_up", ["metric: COCO", "IouType: keypoints"], "KeyPointBottomUpCOCOEval"),
        ("bottom_up", ["metric: COCO"], "KeyPointBottomUpCOCOEval"),
        ("bottom_up", ["metric: KeyPointBottomUpCOCOEval"], "KeyPointBottomUpCOCOEval"),
        ("top_down", ["metric: KeyPointTopDownCOCOEval"], "KeyPointTopDownCOCOEval"),
        ("top_down", ["metric: COCO"], "COCOMetric"),
    ],
)
def test_names(codec, lines, expected, tmp_path):
    metric = assembly(tmp_path, codec, *lines).metric(tmp_path / "out")
    assert type(metric).__name__ == expected and metric.output_eval == tmp_path / "out"


def test_crowdpose_takes_the_configs_skeleton(tmp_path):
    for lines, name, joints in (["skeleton: crowdpose14"], "crowdpose14", 14), ([], "coco17", 17):
        metric = assembly(tmp_path, "bottom_up", "metric: KeyPointCrowdPoseEval", *lines, joints=joints).metric()
        assert metric.skeleton.name == name and metric.stat_names[-1] == "AP_hard"


def test_an_unknown_kind_is_told(tmp_path):
    with pytest.raises(ConfigError, match="one of bbox, keypoints"):
        assembly(tmp_path, "bottom_up", "metric: COCO", "IouType: segm").metric()
