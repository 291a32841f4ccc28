"""PaddleDetection's four places of alignment become one codec."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppdet.codecs import codec_from_config
from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError

RECIPE = """
architecture: TopDownHRNet
trainsize: &trainsize [192, 256]
hmsize: &hmsize [48, 64]
TopDownHRNet: {{use_dark: {dark}}}
TrainReader:
  sample_transforms:
    - TopDownAffine: {{trainsize: *trainsize, use_udp: {udp}}}
    - {target}: {{hmsize: *hmsize, sigma: {sigma}}}
EvalReader:
  sample_transforms:
    - TopDownAffine: {{trainsize: *trainsize, use_udp: {udp}}}
TestReader:
  sample_transforms:
    - Decode: {{}}
    - TopDownEvalAffine: {{trainsize: *trainsize}}
"""


def _codec(tmp_path: Path, *overrides: str, target="ToHeatmapsTopDown", udp=False, dark=True, sigma=2):
    file = tmp_path / "recipe.yml"
    file.write_text(RECIPE.format(target=target, udp=str(udp).lower(), dark=str(dark).lower(), sigma=sigma))
    return codec_from_config(load_config(str(file), list(overrides)))


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ({}, {"target": "rounded", "grid": "stride", "alignment": "affine", "decoder": "dark", "blur_kernel": 3}),
        ({"dark": False}, {"decoder": "quarter"}),
        ({"target": "ToHeatmapsTopDown_DARK", "udp": True}, {"target": "subpixel", "grid": "stride", "alignment": "udp"}),
        (
            {"target": "ToHeatmapsTopDown_UDP", "udp": True},
            {"target": "subpixel", "grid": "unit", "alignment": "udp", "window": True},
        ),
        ({"sigma": 3}, {"sigma": 3.0, "input_wh": [192, 256], "heatmap_wh": [48, 64]}),
    ],
)
def test_vocabulary(tmp_path: Path, recipe: dict, expected: dict) -> None:
    card = _codec(tmp_path, **recipe).to_dict()
    assert {key: card[key] for key in expected} == expected
    assert card["paddledet_exact"] is False


def test_vitpose_says_in_its_post_processing_how_to_decode(tmp_path: Path) -> None:
    file = tmp_path / "vitpose.yml"
    model = "TopDownHRNet: {{use_dark: {dark}}}\n"
    for post, expected in (("{use_dark: false}", "quarter"), ("{use_dark: true}", "dark"), ("{}", "dark"), ("null", "dark")):
        recipe = RECIPE.replace(model, f"VitPosePostProcess: {post}\n".replace("{", "{{").replace("}", "}}"))
        assert recipe != RECIPE
        file.write_text(recipe.format(target="ToHeatmapsTopDown", udp="false", sigma=2))
        assert codec_from_config(load_config(str(file))).decoder == expected, post


def test_exact_switch(tmp_path: Path) -> None:
    assert _codec(tmp_path, "paddledet_exact=true").paddledet_exact is True


def test_readers_that_disagree_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="trainsize differs"):
        _codec(tmp_path, "EvalReader.sample_transforms.TopDownAffine.trainsize=[96, 128]")
    with pytest.raises(ConfigError, match="use_udp differs"):
        _codec(tmp_path, "EvalReader.sample_transforms.TopDownAffine.use_udp=true")


def test_codec_section_wins_and_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "ours.yml"
    file.write_text("codec: {name: HeatmapCodec, input_wh: [96, 128], sigma: 1}\npaddledet_exact: true\n")
    codec = codec_from_config(load_config(str(file)))
    assert (codec.heatmap_wh, codec.paddledet_exact) == ((24, 32), True)
    file.write_text("codec: {input_wh: [96, 128]}\n")
    with pytest.raises(ConfigError, match="`name` is missing"):
        codec_from_config(load_config(str(file)))


def test_a_detector_has_no_codec(tmp_path: Path) -> None:
    file = tmp_path / "detector.yml"
    file.write_text("architecture: PicoDet\nTestReader: {sample_transforms: [{Decode: {}}]}\n")
    assert codec_from_config(load_config(str(file))) is None


CROWD = """
architecture: HigherHRNet
HigherHRNet: {{post_process: HrHRNetPostProcess, eval_flip: true}}
HrHRNetPostProcess: {{max_num_people: 20, heat_thresh: 0.2}}
TrainReader:
  sample_transforms:
    - RandomAffine: {{trainsize: {train}, hmsize: {maps}}}
    - ToHeatmaps: {{num_joints: 17, hmsize: {maps}, sigma: {sigma}}}
    - TagGenerate: {{num_joints: 17, max_people: {people}}}
EvalReader:
  sample_transforms:
    - EvalAffine: {{size: {test}}}
"""


def _bottom_up_codec(tmp_path: Path, *overrides: str, train="512", maps="[128, 256]", test="512", people="20", sigma="2"):
    file = tmp_path / "crowd.yml"
    file.write_text(CROWD.format(train=train, maps=maps, test=test, people=people, sigma=sigma))
    return codec_from_config(load_config(str(file), list(overrides)))


def test_bottom_up_vocabulary(tmp_path: Path) -> None:
    codec = _bottom_up_codec(tmp_path)
    assert (codec.kind, codec.input_wh, codec.strides, codec.sigma) == ("bottom_up", (512, 512), (4, 2), 2.0)
    assert (codec.max_people, codec.detection_threshold, codec.tag_threshold) == (20, 0.2, 1.0)
    assert codec.paddledet_exact is False
    assert _bottom_up_codec(tmp_path, "paddledet_exact=true").paddledet_exact is True
    assert _bottom_up_codec(tmp_path, train="[640, 640]", test="640", maps="[160, 320]").input_wh == (640, 640)


def test_bottom_up_contradictions(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="EvalAffine.size.*differs"):
        _bottom_up_codec(tmp_path, test="640")
    with pytest.raises(ConfigError, match="max_people differs"):
        _bottom_up_codec(tmp_path, people="30")
    with pytest.raises(ConfigError, match="does not divide"):
        _bottom_up_codec(tmp_path, maps="[100, 256]")
