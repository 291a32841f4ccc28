"""Networks from image to feature maps; each has `out_shape`."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "CSPNeXt": "cspnext",
        "DLA": "dla",
        "ESNet": "esnet",
        "HRNet": "hrnet",
        "LCNet": "lcnet",
        "LPN": "lpn",
        "LiteHRNet": "lite_hrnet",
        "PoseResNet": "pose_resnet",
        "ResNet": "resnet_vd",
        "ViT": "vit",
    },
)
