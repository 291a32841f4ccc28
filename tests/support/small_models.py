"""The published networks, built from their parts."""

from __future__ import annotations

from typing import Callable, Dict, Optional

import paddle

from ppdet import modeling as m

LEGACY_RATIOS = [0.875, 0.5, 0.5, 0.5, 0.625, 0.5, 0.625, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
STRIDES = [8, 16, 32, 64]


def hrnet(width: int = 32, keypoints: int = 17, loss=None) -> paddle.nn.Layer:
    backbone = m.HRNet(width, freeze_at=-1, freeze_norm=False, return_idx=[0])
    return m.TopDownHRNet(backbone, loss=loss, width=width, num_joints=keypoints)


def higher_hrnet(width: int = 32, keypoints: int = 17, loss=None, swahr: bool = False) -> paddle.nn.Layer:
    backbone = m.HRNet(width, freeze_at=-1, freeze_norm=False, return_idx=[0])
    return m.HigherHRNet(backbone, m.HrHRNetHead(keypoints, loss, swahr, width))


def lite_hrnet(network_type: str = "wider_naive", keypoints: int = 17, loss=None) -> paddle.nn.Layer:
    backbone = m.LiteHRNet(network_type, freeze_at=-1, freeze_norm=False, return_idx=[0])
    return m.TopDownHRNet(backbone, loss=loss, num_joints=keypoints)


def baseline(backbone: paddle.nn.Layer, keypoints: int = 17, loss=None, head: str = "deconv", **options) -> paddle.nn.Layer:
    channels = backbone.out_shape[0].channels
    if head == "shuffle":
        made = m.PixelShuffleHead(channels, num_joints=keypoints)
    else:
        made = m.TopdownHeatmapSimpleHead(channels, num_joints=keypoints, **options)
    return m.SimpleBaseline(backbone, made, loss=loss)


def lpn(network: str = "50", keypoints: int = 17, loss=None, attention: Optional[str] = "GC") -> paddle.nn.Layer:
    return baseline(m.LPN(network, attention), keypoints, loss, num_deconv_layers=2, lightweight=True)


def vit_pose(deconvs: int = 0, loss=None, **backbone) -> paddle.nn.Layer:
    network = m.ViT(**{"drop_path_rate": 0.3, **backbone})
    channels = network.out_shape[0].channels
    if deconvs:
        head = m.TopdownHeatmapSimpleHead(channels, num_deconv_layers=deconvs)
    else:
        head = m.TopdownHeatmapSimpleHead(channels, num_deconv_layers=0, upsample=4, extra={"final_conv_kernel": 3})
    return m.VitPose_TopDown(network, head, loss=loss)


def picodet_legacy(classes: int = 1) -> paddle.nn.Layer:
    backbone = m.ESNet(0.75, channel_ratio=LEGACY_RATIOS)
    neck = m.CSPPAN(input_shape=backbone.out_shape, num_features=4)
    feat = m.PicoFeat(96, 96, 4, 2, share_cls_reg=True)
    head = m.PicoHead(feat, classes, STRIDES, reg_max=7, cell_offset=0.5, nms=m.MultiClassNMS(0.025, 1000, 100, 0.6))
    return m.PicoDet(backbone, neck, head)


def picodet_lcnet(classes: int = 1, scale: float = 0.75) -> paddle.nn.Layer:
    backbone = m.LCNet(scale)
    neck = m.LCPAN(input_shape=backbone.out_shape, num_features=4)
    feat = m.PicoFeat(96, 96, 4, 2, share_cls_reg=True, use_se=True)
    head = m.PicoHeadV2(feat, classes, STRIDES, reg_max=7, cell_offset=0.5, nms=m.MultiClassNMS(0.025, 1000, 100, 0.6))
    return m.PicoDet(backbone, neck, head)


def fairmot(identities: int = 14455) -> paddle.nn.Layer:
    backbone = m.DLA()
    neck = m.CenterNetDLAFPN(input_shape=backbone.out_shape)
    head = m.CenterNetHead(num_classes=1, input_shape=neck.out_shape)
    detector = m.CenterNet(backbone, neck, head, m.CenterNetPostProcess())
    return m.FairMOT(detector, m.FairMOTEmbeddingHead(num_identities_dict={0: identities}, input_shape=neck.out_shape))


# name of PaddleDetection's listing: how to build that model
ANCHOR_SCALE = 1.05


def ppyolov2(classes: int = 80, depth: int = 50, scale: float = 1.0) -> paddle.nn.Layer:
    backbone = m.ResNet(depth, scale=scale, return_idx=[1, 2, 3], dcn_v2_stages=[3], freeze_at=-1, freeze_norm=False)
    neck = m.PPYOLOPAN(drop_block=True, spp=True, scale=scale, input_shape=backbone.out_shape)
    loss = m.YOLOv3Loss(classes, scale_x_y=ANCHOR_SCALE, iou_loss=m.IouLoss(), iou_aware_loss=m.IouAwareLoss())
    head = m.YOLOv3Head(num_classes=classes, loss=loss, iou_aware=True, iou_aware_factor=0.5, input_shape=neck.out_shape)
    decode, nms = m.YOLOBox(conf_thresh=0.01, scale_x_y=ANCHOR_SCALE), m.MatrixNMS(0.01, 0.01, background_label=-1)
    return m.YOLOv3(backbone, neck, head, m.BBoxPostProcess(decode=decode, nms=nms))


PUBLISHED: Dict[str, Callable[[], paddle.nn.Layer]] = {
    "hrnet_w32_256x192": hrnet,
    "dark_hrnet_w48_256x192": lambda: hrnet(48),
    "hrnet_w32_256x256_mpii": lambda: hrnet(32, keypoints=16),
    "higherhrnet_hrnet_w32_512": higher_hrnet,
    "higherhrnet_hrnet_w32_512_swahr": lambda: higher_hrnet(swahr=True),
    "lite_hrnet_18_256x192_coco": lambda: lite_hrnet("lite_18"),
    "lite_hrnet_30_256x192_coco": lambda: lite_hrnet("lite_30"),
    "wider_naive_hrnet_18_256x192_coco": lite_hrnet,
    "tinypose_128x96": lite_hrnet,
    "tinypose_256x256_hand": lambda: lite_hrnet(keypoints=21),
    "vitpose_base_simple_coco_256x192": vit_pose,
    "vitpose_base_coco_256x196": lambda: vit_pose(deconvs=2),
    "picodet_s_192_pedestrian": picodet_legacy,
    "picodet_s_320_pedestrian": picodet_legacy,
    "picodet_s_320_coco": lambda: picodet_legacy(80),
    "picodet_s_192_lcnet_pedestrian": picodet_lcnet,
    "picodet_s_320_lcnet_pedestrian": picodet_lcnet,
    "picodet_s_320_coco_lcnet": lambda: picodet_lcnet(80),
    "fairmot_dla34_30e_1088x608": fairmot,
    "picodet_xs_320_coco_lcnet": lambda: picodet_lcnet(80, scale=0.35),
    "ppyolov2_r50vd_dcn_365e_coco": ppyolov2,
}
