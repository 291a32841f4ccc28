"""What an evaluation figure depends on, in words: it is printed beside every AP."""

from __future__ import annotations

from typing import Any, Mapping

from ppdet.codecs import HeatmapCodec
from ppdet.engine.precision import Precision
from ppdet.inference.model_card import ModelCard


def wants_flip_test(config: Mapping[str, Any], model: Any) -> bool:
    """Whether to average with the mirrored crops.

    The key is `flip` of the architecture's section, e.g. `-o TopDownHRNet.flip=false`; where the section does not say,
    PaddleDetection's default, on, holds. `flip_test` is read for VitPose_TopDown, which calls it so.
    """
    section = config.get(str(config.get("architecture"))) or {}
    for key in ("flip", "flip_test"):
        if key in section:
            return bool(section[key])
    return bool(getattr(model, "flip", True))


def pose_setting(
    config: Mapping[str, Any], dataset: Any, codec: HeatmapCodec, flip_test: bool, computed: str
) -> str:
    """One line: box source and count, flip test and its shift, decoder, un-warp, and what computed in which precision."""
    parts = [box_source(config, dataset)]
    parts.append(f"flip test on (shift {codec.shift_after_flip:.3f} cell)" if flip_test else "flip test off")
    parts.append(f"decoder {decoder_text(codec)}")
    parts.append("exact PaddleDetection un-warp" if codec.paddledet_exact else "un-warp by the true inverse of the crop")
    return "; ".join([*parts, computed])


def decoder_text(codec: HeatmapCodec) -> str:
    """The decoder and what it depends on, for example "dark (blur 3)"."""
    return f"{codec.decoder} (blur {codec.blur_kernel})" if codec.decoder == "dark" else codec.decoder


def precision_text(precision: Precision | None) -> str:
    """The framework's precision in words."""
    return f"mixed precision {precision.level} {precision.dtype}" if precision and precision.enabled else "float32"


def box_setting(config: Mapping[str, Any], card: ModelCard, images: int) -> str:
    """One line for a detector: number of images, network input, suppression, classes."""
    width, height = card.input_wh or (0, 0)
    suppression = "suppression inside the graph"
    if card.nms:
        suppression = (
            f"NMS IoU {card.nms.get('nms_threshold')}, scores from {card.nms.get('score_threshold')}, "
            f"at most {card.nms.get('keep_top_k')} boxes an image"
        )
    classes = ", ".join(card.label_list[:5])
    return f"{config.get('architecture')} {width}x{height}; {images} images; {suppression}; classes {classes}"


def box_source(config: Mapping[str, Any], dataset: Any) -> str:
    """How many boxes, and whose."""
    section = config.get("EvalDataset") or {}
    count = f"{len(dataset)} " if hasattr(dataset, "__len__") else ""
    if bool(getattr(dataset, "use_gt_bbox", section.get("use_gt_bbox", True))):
        selected = " after select_data" if getattr(dataset, "select_data", section.get("select_data", False)) else ""
        return f"{count}ground-truth boxes{selected}"
    name = getattr(dataset, "bbox_file", section.get("bbox_file"))
    threshold = getattr(dataset, "image_thre", section.get("image_thre", 0.0))
    return f"{count}boxes of {name} with score >= {threshold}"
