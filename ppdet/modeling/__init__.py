"""Networks, losses and export wrappers. A model is built from its parts and returns a dict of tensors in every mode.

Import a class from its module, or from here (`from ppdet.modeling import HRNet`): it is loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, List

_MODULES = {
    "HRNet": "backbones.hrnet",
    "LiteHRNet": "backbones.lite_hrnet",
    "PoseResNet": "backbones.pose_resnet",
    "LPN": "backbones.lpn",
    "ViT": "backbones.vit",
    "CSPNeXt": "backbones.cspnext",
    "ResNet": "backbones.resnet_vd",
    "ESNet": "backbones.esnet",
    "LCNet": "backbones.lcnet",
    "DLA": "backbones.dla",
    "CSPPAN": "necks.csp_pan",
    "LCPAN": "necks.lc_pan",
    "CenterNetDLAFPN": "necks.centernet_fpn",
    "PPYOLOPAN": "necks.ppyolo_pan",
    "PicoFeat": "heads.pico_feat",
    "PicoHead": "heads.pico_head",
    "PicoHeadV2": "heads.pico_head_v2",
    "TopdownHeatmapSimpleHead": "heads.topdown_simple_head",
    "PixelShuffleHead": "heads.pixel_shuffle_head",
    "SimCCHead": "heads.simcc_head",
    "YOLOv3Head": "heads.yolo_head",
    "HrHRNetHead": "heads.hrhrnet_head",
    "CenterNetHead": "heads.centernet_head",
    "FairMOTEmbeddingHead": "heads.fairmot_embedding_head",
    "MultiClassNMS": "heads.multiclass_nms",
    "BBoxPostProcess": "post_process.bbox_post_process",
    "MatrixNMS": "post_process.matrix_nms",
    "YOLOBox": "post_process.yolo_box",
    "KeyPointMSELoss": "losses.keypoint_mse",
    "KeyPointOHKMMSELoss": "losses.keypoint_mse",
    "KLDiscretLoss": "losses.kl_discret_loss",
    "HrHRNetLoss": "losses.hrhrnet_loss",
    "HeatMapLoss": "losses.heatmap_loss",
    "HeatMapSWAHRLoss": "losses.heatmap_swahr_loss",
    "AELoss": "losses.ae_loss",
    "VarifocalLoss": "losses.varifocal_loss",
    "DistributionFocalLoss": "losses.distribution_focal_loss",
    "GIoULoss": "losses.iou_loss",
    "CTFocalLoss": "losses.ctfocal_loss",
    "FairMOTLoss": "losses.fairmot_loss",
    "IouLoss": "losses.iou_loss",
    "IouAwareLoss": "losses.iou_loss",
    "YOLOv3Loss": "losses.yolov3_loss",
    "ATSSAssigner": "assigners.atss",
    "TaskAlignedAssigner": "assigners.task_aligned",
    "SimOTAAssigner": "assigners.simota",
    "TopDownHRNet": "architectures.topdown_hrnet",
    "SimpleBaseline": "architectures.simple_baseline",
    "TopDownSimCC": "architectures.topdown_simcc",
    "VitPose_TopDown": "architectures.vit_pose",
    "VitPosePostProcess": "architectures.vit_pose",
    "HRNetPostProcess": "architectures.hrnet_post_process",
    "HigherHRNet": "architectures.higher_hrnet",
    "HrHRNetPostProcess": "architectures.higher_hrnet",
    "PicoDet": "architectures.picodet",
    "CenterNet": "architectures.centernet",
    "CenterNetPostProcess": "architectures.centernet",
    "FairMOT": "architectures.fairmot",
    "YOLOv3": "architectures.yolov3",
    "TopDownExport": "export.top_down",
    "BottomUpExport": "export.bottom_up",
    "BottomUpCandidates": "export.bottom_up_candidates",
    "PicoDetExport": "export.picodet",
    "FairMOTExport": "export.fairmot",
    "YOLOv3Export": "export.yolov3",
}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> List[str]:
    return __all__
