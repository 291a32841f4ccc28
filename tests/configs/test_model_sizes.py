"""Parameters and multiply-adds of every keypoint config are those of the published tables."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Optional

import pytest

pytest.importorskip("paddle")

import paddle  # noqa: E402

from ppdet.core.config.load import load_config  # noqa: E402
from ppdet.engine.assembly import Assembly  # noqa: E402
from ppdet.engine.model_info import GIBI, info_of_config, model_info, stage_of  # noqa: E402
from ppdet.modeling.initializer import parameter_count  # noqa: E402

KEYPOINT = Path(__file__).resolve().parents[2] / "configs" / "keypoint"
LEAVES = sorted(str(path.relative_to(KEYPOINT).with_suffix("")) for path in KEYPOINT.rglob("*.yml"))
LIGHT = 1.0  # billions of multiply-adds up to which a config is counted in the fast suite


class Size(NamedTuple):
    """Published: parameters, billions of plain multiply-adds, and 2^30 of the authors' where only those are printed."""

    parameters: int
    macs: Optional[float] = None
    authors_macs: Optional[float] = None


R50, R101, R152 = 33_999_697, 52_991_825, 68_635_473
W32, W48 = 28_536_113, 63_595_745
# A G of HigherHRNet's and SWAHR's tables is 10^9. In evaluation SWAHR's scale maps, .16 G, are not computed.
BILLION = 1e9 / GIBI
SIZES = {
    "simple_baseline/resnet50_256x192": Size(R50, 5.426, 8.99),
    "simple_baseline/resnet50_384x288": Size(R50, 12.209),
    "simple_baseline/resnet101_256x192": Size(R101, None, 12.38),
    "simple_baseline/resnet101_384x288": Size(R101),
    "simple_baseline/resnet152_256x192": Size(R152, None, 15.77),
    "simple_baseline/resnet152_384x288": Size(R152),
    "simple_baseline/resnet50_caffe_256x192": Size(R50, 5.200),
    "simple_baseline/resnet101_caffe_256x192": Size(R101),
    "simple_baseline/resnet152_caffe_256x192": Size(R152),
    "simple_baseline/resnet50_256x256_mpii": Size(33_999_440, 7.234),
    "simple_baseline/resnet50_384x384_mpii": Size(33_999_440, 16.277),
    "simple_baseline/resnet101_256x256_mpii": Size(R101 - 257),
    "simple_baseline/resnet101_384x384_mpii": Size(R101 - 257),
    "simple_baseline/resnet152_256x256_mpii": Size(R152 - 257),
    "simple_baseline/resnet152_384x384_mpii": Size(R152 - 257),
    "simple_pose/resnet50_dconv_256x192": Size(R50, 5.426),
    "simple_pose/resnet50_duc_256x192": Size(29_428_945, 5.876),
    "simple_pose/resnet50_se_dconv_256x192": Size(45_148_497, 5.438),
    "simple_pose/resnet50_se_duc_256x192": Size(40_577_745, 5.887),
    "simple_pose/hrnet_w32_dark_256x192": Size(W32, 7.645),
    "hrnet/hrnet_w32_256x192": Size(W32, 7.645, 7.12),
    "hrnet/hrnet_w32_256x192_authors": Size(W32, 7.645),
    "hrnet/hrnet_w32_384x288": Size(W32, 17.2013, 16.02),
    "hrnet/hrnet_w32_384x288_authors": Size(W32, 17.2013),
    "hrnet/hrnet_w48_256x192": Size(W48, 15.6918, 14.61),
    "hrnet/hrnet_w48_384x288": Size(W48, 35.3066, 32.9),
    "hrnet/hrnet_w32_256x256_mpii": Size(28_536_080, 10.193),
    "hrnet/hrnet_w32_256x256_mpii_authors": Size(28_536_080, 10.193),
    "hrnet/hrnet_w48_256x256_mpii": Size(63_595_696, 20.922),
    "hrnet/dark_hrnet_w32_256x192": Size(W32, 7.645),
    "hrnet/dark_hrnet_w32_384x288": Size(W32, 17.2013),
    "hrnet/dark_hrnet_w48_256x192": Size(W48, 15.6918),
    "hrnet/hrnet_w18_small_v1_256x192": Size(1_338_337, 0.7311, 0.681),
    "hrnet/hrnet_w18_small_v2_256x192": Size(3_757_475, 1.9628, 1.828),
    "hrnet/hrnet_w18_small_v2_softargmax_256x192": Size(3_757_475, 1.9628),
    "dark/darkpose_hrnet_w32_256x192": Size(W32, 7.645),
    "dark/darkpose_hrnet_w32_384x288": Size(W32, 17.2013),
    "dark/darkpose_hrnet_w48_256x192": Size(W48, 15.6918),
    "dark/darkpose_hrnet_w48_384x288": Size(W48, 35.3066),
    "dark/darkpose_hrnet_w32_256x256_mpii": Size(28_536_080, 10.193),
    "higherhrnet/higherhrnet_hrnet_w32_512": Size(28_645_331, 46.203, 47.9 * BILLION),
    "higherhrnet/higherhrnet_hrnet_w32_640": Size(28_645_331, 72.193, 74.8 * BILLION),
    "higherhrnet/higherhrnet_hrnet_w32_512_swahr": Size(28_649_309, 46.203, 48.0 * BILLION),
    "higherhrnet/higherhrnet_hrnet_w48_640": Size(63_827_139, None, 154.3 * BILLION),
    "higherhrnet/higherhrnet_hrnet_w48_640_swahr": Size(63_831_661, None, 154.6 * BILLION),
    "higherhrnet/higherhrnet_hrnet_w32_512_crowdpose": Size(28_641_962),
    "higherhrnet/higherhrnet_hrnet_w32_512_swahr_crowdpose": Size(28_645_238),
    "lpn/lpn_18_256x192": Size(473_913, 0.4400),
    "lpn/lpn_18h_256x192": Size(508_473, 0.4559),
    "lpn/lpn_34_256x192": Size(594_673, 0.4532),
    "lpn/lpn_34h_256x192": Size(662_641, 0.4815),
    "lpn/lpn_50_256x192": Size(2_911_153, 1.0681),
    "lpn/lpn_100_256x192": Size(6_710_914, 1.9195),
    "lpn/lpn_101_256x192": Size(5_353_458, 1.5045),
    "lpn/lpn_152_256x192": Size(7_377_459, 1.9427),
    "lpn/lpn_18_128x96_lspet": Size(473_142, None),
    "rtmpose/rtmpose_t_256x192": Size(3_337_007),  # .355; the published .36 counts norms as well
    "rtmpose/rtmpose_s_256x192": Size(5_473_251, 0.68),
    "rtmpose/rtmpose_m_256x192": Size(13_587_611, 1.93),
    "lite_hrnet/lite_hrnet_18_256x192_coco": Size(1_130_769, 0.1986),
    "lite_hrnet/lite_hrnet_18_384x288_coco": Size(1_130_769, 0.4468),
    "lite_hrnet/lite_hrnet_30_256x192_coco": Size(1_763_717, 0.3095),
    "lite_hrnet/lite_hrnet_30_384x288_coco": Size(1_763_717, 0.6961),
    "lite_hrnet/naive_hrnet_18_256x192_coco": Size(760_365, 0.1855),
    "lite_hrnet/wider_naive_hrnet_18_256x192_coco": Size(1_318_625, 0.3023),
    "lite_hrnet/wider_naive_hrnet_18_256x192_coco_dark": Size(1_318_625, 0.3023),
    "tiny_pose/tinypose_128x96": Size(1_318_625, 0.0756),
    "tiny_pose/tinypose_128x96_coco_person": Size(1_318_625, 0.0756),
    "tiny_pose/tinypose_128x96_bundled": Size(1_318_625, 0.0756),
    "tiny_pose/tinypose_256x192": Size(1_318_625, 0.3023),
    "tiny_pose/tinypose_256x256_hand": Size(1_318_789, None),
    "vit_pose/vitpose_base_coco_256x192": Size(89_994_513),
    "vit_pose/vitpose_base_coco_256x196": Size(89_994_513),
    "vit_pose/vitpose_base_simple_coco_256x192": Size(85_912_337),
    "xray/xray_hand_resnet50_256x192": Size(R50, 5.426),
    "xray/xray_foot_resnet50_256x192": Size(R50, 5.426),
    "xray/xray_foot_resnet50_384x288": Size(R50, 12.209),
    "xray/xray_resnet50_256x256": Size(R50, 7.235),
    "xray/xray_resnet50_384x384": Size(R50, 16.278),
    "xray/xray_tinypose_256x256": Size(1_318_625, 0.4031),
    "xray/xray_tinypose_384x384": Size(1_318_625, 0.9069),
}


def test_every_config_has_its_row() -> None:
    assert sorted(SIZES) == LEAVES


@pytest.mark.parametrize("name", LEAVES)
def test_parameters(name: str) -> None:
    with paddle.LazyGuard():  # shapes alone, no numbers
        model = Assembly(load_config(KEYPOINT / f"{name}.yml")).model()
    assert parameter_count(model) == SIZES[name].parameters


COUNTED = [name for name in LEAVES if SIZES.get(name, Size(0)).macs or SIZES.get(name, Size(0)).authors_macs]


@pytest.mark.parametrize(
    "name", [n if (SIZES[n].macs or 99) < LIGHT else pytest.param(n, marks=pytest.mark.slow) for n in COUNTED]
)
def test_multiply_adds(name: str) -> None:
    total, size = info_of_config(load_config(KEYPOINT / f"{name}.yml")).total, SIZES[name]
    if size.macs:
        assert total.macs / 1e9 == pytest.approx(size.macs, rel=0.01)
    if size.authors_macs:
        assert total.authors_macs / GIBI == pytest.approx(size.authors_macs, rel=0.01)
    assert total.parameters == size.parameters


def test_a_network_counted_by_hand() -> None:
    class Tiny(paddle.nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = paddle.nn.Sequential(paddle.nn.Conv2D(3, 8, 3, stride=2, padding=1, bias_attr=False))
            self.head = paddle.nn.Conv2DTranspose(8, 2, 4, stride=2, padding=1, groups=2)

        def forward(self, x):
            return self.head(self.backbone(x))

    info = model_info(Tiny(), (6, 4))
    assert list(info.stages) == ["backbone.0", "head"]
    conv, deconv = info.stages.values()
    assert conv.macs == conv.authors_macs == 8 * 3 * 9 * 6  # 3 x 2 output cells
    assert (conv.parameters, conv.activations) == (216, 8 * 6)
    assert deconv.macs == 8 * 1 * 16 * 6 and deconv.authors_macs == 4 * deconv.macs
    assert (deconv.parameters, deconv.activations) == (8 * 16 + 2, 2 * 24)
    assert info.total.parameters == 216 + 130
    assert "| head | 130 |" in info.to_text(stages=True) and "|" not in info.to_text()


def test_stages_are_parts_of_a_backbone() -> None:
    assert stage_of("backbone.layer1.0.conv1") == "backbone.layer1"
    assert stage_of("head.final_layer") == stage_of("head") == "head"
    assert stage_of("backbone") == "backbone"
