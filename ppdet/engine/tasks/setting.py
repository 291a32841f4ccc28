"""The settings that an evaluation figure depends on, as text that is printed with every AP."""

from __future__ import annotations

from typing import Any, Mapping

from ppdet.codecs import Codec
from ppdet.engine.precision import Precision
from ppdet.inference.model_card import ModelCard


def wants_flip_test(config: Mapping[str, Any], model: Any) -> bool:
    """Whether to average with the mirrored crops.

    The key is `flip` of the architecture's section, e.g. `-o TopDownHRNet.flip=false`, and `flip_test` for VitPose_TopDown; by
    default it is on, as in PaddleDetection.
    """
    section = config.get(str(config.get("architecture"))) or {}
    for key in ("flip", "flip_test"):
        if key in section:
            return bool(section[key])
    return bool(getattr(model, "flip", True))


def pose_setting(
    config: Mapping[str, Any], dataset: Any, codec: Codec, flip_test: bool, computed: str
) -> str:
    """The settings in one line: box source and count, flip test and its shift, decoder, un-warp, engine and precision."""
    parts = [box_source(config, dataset), flip_text(codec, flip_test, " cell"), f"decoder {decoder_text(codec)}"]
    exact = getattr(codec, "paddledet_exact", False)
    parts.append("exact PaddleDetection un-warp" if exact else "un-warp by the true inverse of the crop")
    return "; ".join([*parts, computed])


def flip_text(codec: Codec, flip_test: bool, unit: str = "") -> str:
    """Flip test and shift of the mirrored maps, for example "flip test on (shift 0.000 cell)"."""
    shift = getattr(codec, "shift_after_flip", None)
    return "flip test off" if not flip_test else "flip test on" + ("" if shift is None else f" (shift {shift:.3f}{unit})")


def decoder_text(codec: Codec) -> str:
    """The decoder and its parameters, for example "dark (blur 3)"; for codecs with only one, its name."""
    settings = codec.to_dict()
    decoder = str(settings.get("decoder", settings.get("name")))
    return f"{decoder} (blur {settings.get('blur_kernel')})" if decoder == "dark" else decoder


def precision_text(precision: Precision | None) -> str:
    """The framework's precision as text."""
    return f"mixed precision {precision.level} {precision.dtype}" if precision and precision.enabled else "float32"


def box_setting(config: Mapping[str, Any], card: ModelCard, images: int) -> str:
    """The settings of a detector in one line: number of images, network input, NMS, classes."""
    width, height = card.input_wh or (0, 0)
    suppression = "suppression inside the graph"
    if card.nms:
        suppression = (
            f"NMS IoU {card.nms.get('nms_threshold')}, scores from {card.nms.get('score_threshold')}, "
            f"at most {card.nms.get('keep_top_k')} boxes per image"
        )
    classes = ", ".join(card.label_list[:5])
    return f"{config.get('architecture')} {width}x{height}; {images} images; {suppression}; classes {classes}"


def box_source(config: Mapping[str, Any], dataset: Any) -> str:
    """Number and source of the boxes."""
    section = config.get("EvalDataset") or {}
    count = f"{len(dataset)} " if hasattr(dataset, "__len__") else ""
    if bool(getattr(dataset, "use_gt_bbox", section.get("use_gt_bbox", True))):
        selected = " after select_data" if getattr(dataset, "select_data", section.get("select_data", False)) else ""
        return f"{count}ground-truth boxes{selected}"
    name = getattr(dataset, "bbox_file", section.get("bbox_file"))
    threshold = getattr(dataset, "image_thre", section.get("image_thre", 0.0))
    return f"{count}boxes of {name} with score >= {threshold}"
