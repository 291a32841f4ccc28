"""Preprocessing and decoding of the repositories that checkpoints come from.

A weight file does not state them, and one wrong entry costs whole points of AP without any error. Sources: configs and data
loaders of the repositories.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Tuple

from ppdet.image.normalize import IMAGENET_MEAN as RGB_MEAN
from ppdet.image.normalize import IMAGENET_STD as RGB_STD

COCO_SIZES = ((192, 256), (288, 384))


@dataclass(frozen=True)
class Feed:
    """Preprocessing and decoding of one repository.

    Attributes:
        repository: name or URL.
        color_order: "rgb" or "bgr", the channel order that the first convolution was trained with.
        mean, std: normalisation of pixel / 255, in that channel order.
        input_wh: published sizes, (width, height).
        codec: arguments of `HeatmapCodec`, or of the codec that its `name` says; sigma is of the smaller input. Empty
            where there is none (ImageNet, bottom-up).
        remark: what else to know.
    """

    repository: str
    color_order: str = "rgb"
    mean: Tuple[float, ...] = RGB_MEAN
    std: Tuple[float, ...] = RGB_STD
    input_wh: Tuple[Tuple[int, int], ...] = COCO_SIZES
    codec: Mapping[str, Any] = field(default_factory=dict)
    remark: str = ""

    def normalize(self) -> Dict[str, Any]:
        """Arguments of NormalizeImage."""
        turn = {"to_bgr": True} if self.color_order == "bgr" else {}
        return {"mean": list(self.mean), "std": list(self.std), "is_scale": True, **turn}

    def as_rgb(self) -> Feed:
        """The same feed for weights whose first convolution was reordered to RGB; mean and std are reordered with it."""
        if self.color_order == "rgb":
            return self
        values: Dict[str, Any] = {**vars(self), "color_order": "rgb", "mean": self.mean[::-1], "std": self.std[::-1]}
        return Feed(**values)


#: rounded Gaussian up to 3 sigma, quarter-cell decoding, flipped maps shifted by one cell (Xiao et al., ECCV 2018)
_CLASSIC = {
    "alignment": "affine", "grid": "stride", "target": "rounded", "sigma": 2.0, "decoder": "quarter", "flip_shift": 1.0,
}  # fmt: skip
_SOFT = {**_CLASSIC, "decoder": "soft_argmax_quarter", "beta": 160.0}
_BOTTOM_UP = "bottom-up: whole images, short side 512; published files of 640 have the same names and shapes"
_CLASSES = "an ImageNet classifier's backbone, to start training from"

FEEDS: Mapping[str, Feed] = {
    "microsoft": Feed(
        "microsoft/human-pose-estimation.pytorch", "bgr", codec=_CLASSIC,
        remark="reads images with OpenCV and normalises BGR by RGB's mean and std; sigma 3 at 288x384. MPII: 256x256, 384x384",
    ),
    "microsoft_caffe": Feed(
        "microsoft/human-pose-estimation.pytorch", "bgr", codec=_CLASSIC,
        remark="MODEL.STYLE caffe strides on the first 1x1 convolution; names and shapes do not tell it from the other style",
    ),
    "leoxiaobin": Feed(
        "leoxiaobin/deep-high-resolution-net.pytorch", codec=_CLASSIC,
        remark="COLOR_RGB: true in the released configs; sigma 3 at 288x384. MPII: 256x256",
    ),
    "cavalleria": Feed(
        "cavalleria/humanpose.pytorch", codec=_CLASSIC,
        remark="w18 small v2 also has a row decoded by soft_argmax_quarter, beta 160",
    ),
    "cavalleria_lpn": Feed("cavalleria/humanpose.pytorch", codec=_SOFT, input_wh=((192, 256),)),
    "darkpose": Feed(
        "ilovepose/DarkPose",
        codec={
            "alignment": "udp", "grid": "unit", "target": "subpixel", "sigma": 2.0, "decoder": "dark", "blur_kernel": 11,
            "flip_shift": 0.0,
        },
        remark="crop and heatmaps are aligned by pixel centres; blur kernel 11 at sigma 2, 17 at sigma 3",
    ),
    "mmpose": Feed("open-mmlab/mmpose", codec=_CLASSIC, remark="of the plain configs; those named _udp or _dark differ"),
    "lite_hrnet": Feed("HRNet/Lite-HRNet", codec=_CLASSIC, remark="sigma 3 at 288x384"),
    "zhang943": Feed(
        "zhang943/lpn-pytorch", "bgr", codec=_SOFT, input_wh=((192, 256),),
        remark="its COCO configs say COLOR_RGB: false, its MPII configs true; cavalleria's LPNs are RGB: --home cavalleria_lpn",
    ),
    "simple_pose": Feed(
        "liangheming/simple_pose", std=(1.0, 1.0, 1.0), input_wh=((192, 256),),
        codec={
            "alignment": "affine", "grid": "stride", "target": "subpixel", "sigma": 2.0, "decoder": "dark", "blur_kernel": 11,
            "flip_shift": 1.0,
        },
        remark="pixels are not divided by the standard deviation; scored without flip test",
    ),
    "vitpose": Feed(
        "ViTAE-Transformer/ViTPose", input_wh=((192, 256),),
        codec={
            "alignment": "udp", "grid": "unit", "target": "subpixel", "window": True, "sigma": 2.0, "decoder": "dark",
            "blur_kernel": 11, "flip_shift": 0.0,
        },
        remark="UDP throughout",
    ),
    "rtmpose": Feed(
        "open-mmlab/mmpose",
        codec={
            "name": "SimCCCodec", "split_ratio": 2.0, "sigma": [4.9, 5.66], "target": "rounded", "alignment": "affine",
            "decoder": "argmax", "flip_shift": 0.0,
        },
        remark="sigma (6, 6.93) at 288x384; rtmlib runs these networks on BGR pixels, on which they were not trained",
    ),
    "higherhrnet": Feed("HRNet/HigherHRNet-Human-Pose-Estimation", input_wh=((512, 512),), remark=_BOTTOM_UP),
    "swahr": Feed("greatlog/SWAHR-HumanPose", input_wh=((512, 512),), remark=_BOTTOM_UP),
    "hrnet_imagenet": Feed("HRNet/HRNet-Image-Classification", input_wh=((224, 224),), remark=_CLASSES),
    "torchvision": Feed("pytorch/vision", input_wh=((224, 224),), remark=_CLASSES),
}  # fmt: skip
