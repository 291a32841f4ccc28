"""Whole models, built from their parts."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "CenterNet": "centernet",
        "CenterNetPostProcess": "centernet",
        "FairMOT": "fairmot",
        "HRNetPostProcess": "hrnet_post_process",
        "HigherHRNet": "higher_hrnet",
        "HrHRNetPostProcess": "higher_hrnet",
        "PicoDet": "picodet",
        "SimpleBaseline": "simple_baseline",
        "TopDownHRNet": "topdown_hrnet",
        "TopDownSimCC": "topdown_simcc",
        "YOLOv3": "yolov3",
        "VitPosePostProcess": "vit_pose",
        "VitPose_TopDown": "vit_pose",
    },
)
