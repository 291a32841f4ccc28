"""Which metric a config's words mean."""

from __future__ import annotations

import json
import textwrap

import pytest

from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError
from ppdet.engine.assembly import Assembly
from ppdet.engine.evaluation.evaluator import evaluate

CODECS = {
    "bottom_up": "{name: AssociativeEmbeddingCodec, input_wh: [64, 64]}",
    "top_down": "{name: HeatmapCodec, input_wh: [64, 96], heatmap_wh: [16, 24]}",
}

ARCHITECTURES = {
    "bottom_up": "HigherHRNet\nHigherHRNet: {backbone: HRNet, hrhrnet_head: HrHRNetHead}",
    "top_down": "TopDownHRNet\nTopDownHRNet: {backbone: HRNet}",
}


def assembly(folder, codec, *lines, keypoints=17):
    truth = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "person", "keypoints": ["a"]}]}
    (folder / "truth.json").write_text(json.dumps(truth))
    dataset = "KeypointBottomUpCocoDataset" if codec == "bottom_up" else "KeypointTopDownCocoDataset"
    text = f"""
    num_joints: {keypoints}
    codec: {CODECS[codec]}
    EvalDataset: !{dataset} {{dataset_dir: {folder.as_posix()}, anno_path: truth.json, num_joints: {keypoints}}}
    """
    file = folder / "config.yml"
    lines = (f"architecture: {ARCHITECTURES[codec]}", *lines)
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


@pytest.mark.parametrize(
    ("codec", "people"), [("bottom_up", "KeyPointBottomUpCOCOEval"), ("top_down", "KeyPointTopDownCOCOEval")]
)
def test_plain_names_collect_people_as_the_kind_of_model_does(codec, people, tmp_path):
    parts = assembly(tmp_path, codec, "metric: [EPE, PCK@0.1]", "best_metric: AP")
    metric = parts.metric(tmp_path / "out")
    assert [figure.name for figure in metric.figures] == ["EPE", "PCK@0.1", "AP"] and metric.output_eval == tmp_path / "out"
    assert type(metric._people).__name__ == type(parts.people_metric()).__name__ == people


def test_crowdpose_takes_the_configs_skeleton(tmp_path):
    for lines, name, keypoints in (["skeleton: crowdpose14"], "crowdpose14", 14), ([], "coco17", 17):
        metric = assembly(tmp_path, "bottom_up", "metric: KeyPointCrowdPoseEval", *lines, keypoints=keypoints).metric()
        assert metric.skeleton.name == name and metric.stat_names[-1] == "AP_hard"


def test_written_predictions_are_scored_again_without_a_model(tmp_path):
    person = {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "bbox": [5, 5, 40, 50], "area": 900,
              "keypoints": [value for i in range(17) for value in (8 + 2 * i, 9 + 2 * i, 2)]}  # fmt: skip
    config = assembly(tmp_path, "bottom_up", "metric: COCO", "IouType: keypoints").config
    truth = json.loads((tmp_path / "truth.json").read_text())
    (tmp_path / "truth.json").write_text(json.dumps({**truth, "images": [{"id": 1}], "annotations": [person]}))
    found = {"image_id": 1, "category_id": 1, "keypoints": person["keypoints"], "score": 0.9}
    (tmp_path / "keypoint.json").write_text(json.dumps([found]))
    figures = evaluate(config, tmp_path, json_eval=True)
    assert figures["AP"] == pytest.approx(1) and list(figures)[0] == "AP"


def test_an_unknown_kind_is_reported(tmp_path):
    with pytest.raises(ConfigError, match="one of bbox, keypoints"):
        assembly(tmp_path, "bottom_up", "metric: COCO", "IouType: segm").metric()
