"""Settings of networks that cannot be built: the message says which and why, without a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppdet.core.config.load import load_config
from ppdet.core.errors import ConfigError

CONFIGS = Path(__file__).resolve().parents[3] / "configs"
PICODET = CONFIGS / "picodet" / "picodet_s_320_coco_lcnet.yml"
PPYOLO = CONFIGS / "ppyolo" / "ppyolov2_r50vd_dcn_365e_coco.yml"


@pytest.mark.parametrize(
    "leaf, option, expected",
    [
        (PICODET, "PicoHeadV2.feat_in_chan=100", "PicoHeadV2: feat_in_chan is 100, but conv_feat.feat_out is 96"),
        (PICODET, "PicoHeadV2.reg_max=0", "PicoHeadV2: reg_max is 0"),
        (PICODET, "LCNet.scale=-1", "a layer would have -16 channels; the `scale` of a backbone must be positive"),
        (PICODET, "LCPAN.out_channels=-1", "LCPAN: an argument does not fit: AssertionError"),
        (PPYOLO, "YOLOv3Head.anchors=null", "YOLOv3Head.anchors is None, expected a list; an anchor is"),
    ],
)
def test_networks_that_cannot_be_built(leaf: Path, option: str, expected: str) -> None:
    pytest.importorskip("paddle")
    from ppdet.engine.assembly import Assembly

    with pytest.raises(ConfigError) as info:
        Assembly(load_config(leaf, [option])).model()
    assert expected in str(info.value)


def test_arguments_of_an_operation_that_are_no_mapping() -> None:
    pytest.importorskip("paddle")
    from ppdet.engine.components import import_components
    from ppdet.engine.configs.check import check_config

    config = load_config(PICODET, ["TrainReader.sample_transforms.Decode=3"])
    found = [str(problem) for problem in check_config(config, import_components())]
    assert len(found) == 1 and "the arguments of Decode are a mapping, not 3" in found[0]
