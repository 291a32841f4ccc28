"""Recognises the layout of an ONNX file from its inputs, outputs and metadata.

What could be two layouts is refused, with what was seen and the card to write: a wrong guess would give boxes that look real.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from ppdet.inference.onnx_models.refusal import refusal
from ppdet.inference.onnx_models.top_down import heatmap_wh
from ppdet.inference.onnx_models.ultralytics import read_metadata
from ppdet.inference.runtimes.onnx_header import OnnxHeader, OnnxValue

# Ultralytics' pose models have 17 keypoints of 3 numbers and one class unless the metadata say otherwise.
COCO_POSE_VALUES = 51
COCO_CLASSES = 80
# Ultralytics' graphs give 300 boxes, others up to this many; candidates before NMS are more.
MOST_BOXES = 1000
DISTRIBUTION = 32  # 4 sides x 8 bins of NanoDet and PicoDet
GRIDS = ((8, 16, 32), (8, 16, 32, 64))


@dataclass(frozen=True)
class Recognised:
    """A layout, what the file tells besides, and how sure that is.

    Attributes:
        layout: its name.
        found: settings that the file states, such as labels.
        doubt: what was taken for granted and may be wrong; empty if nothing was. It is logged.
    """

    layout: str
    found: Mapping[str, Any] = field(default_factory=dict)
    doubt: str = ""


def recognise(header: OnnxHeader, input_wh: tuple[int, int] | None) -> Recognised:
    """Find the layout.

    Args:
        header: of the file.
        input_wh: size of the input if the graph does not fix it but a card does.

    Raises:
        ModelDirError: no layout fits, or several do. The message says what was seen and what to write into a card.
    """
    tells = read_metadata(header)
    size = header.input_wh or input_wh or tells.get("input_wh")
    found = {key: value for key, value in tells.items() if key in ("input_wh", "labels", "skeleton", "keypoint_values")}
    for rule in _RULES:
        known = rule(header, tells, size)
        if known is not None:
            return Recognised(known.layout, {**found, **known.found}, known.doubt)
    raise refusal(header)


def _by_name(header: OnnxHeader) -> dict[str, OnnxValue]:
    return {each.name: each for each in header.outputs}


def _ultralytics(header: OnnxHeader, tells: Mapping[str, Any], size: tuple[int, int] | None) -> Recognised | None:
    task = tells.get("task")
    if task is None:
        return None
    if task not in ("detect", "pose", "segment"):
        raise refusal(header, f"its metadata say that it is an Ultralytics model for {task!r}, which gives no boxes of people")
    if tells.get("is_rtdetr"):
        return Recognised("rtdetr_rows")
    rows = _has_rows_after_nms(header, tells, size)
    if task == "pose":
        return Recognised("yolo_pose_nms" if rows else "yolo_pose")
    return Recognised("yolov8_nms" if rows else "yolov8")


def _has_rows_after_nms(header: OnnxHeader, tells: Mapping[str, Any], size: tuple[int, int] | None) -> bool:
    """Whether (N, M, 6 + extra) rows come out, and not (N, 4 + C + extra, A) columns."""
    first, extra = header.outputs[0], tells.get("extra", 0)
    channels, columns = first.side(1), first.side(2)
    may_be_rows = columns in (None, 6 + extra)
    values = 4 + tells["classes"] + extra
    may_be_columns = channels in (None, values) or _is_turned(header, values, size)
    if may_be_rows == may_be_columns:
        if not may_be_rows:
            raise refusal(header, f"its metadata say {tells['classes']} classes and {extra} further values per box, and its "
                                  f"output {first} has neither {6 + extra} columns nor {values} channels")
        return bool(tells.get("end2end") or tells.get("nms_inside"))
    return may_be_rows


def _is_turned(header: OnnxHeader, values: int, size: tuple[int, int] | None) -> bool:
    """Whether the columns come out as rows, (N, A, values): one per cell."""
    first = header.outputs[0]
    return first.side(2) == values and size is not None and first.side(1) in [cells_of(size, grid) for grid in GRIDS]


def _simcc(header: OnnxHeader, tells: Mapping[str, Any], size: tuple[int, int] | None) -> Recognised | None:
    names = _by_name(header)
    if not {"simcc_x", "simcc_y"} <= set(names):
        return Recognised("simcc") if _are_axes(header, size) else None
    if names["simcc_y"].rank == 2:
        raise refusal(header, "its simcc_x and simcc_y are keypoints and scores (export_postprocess=True), which the flip test "
                              "cannot average; export it without post-processing", "simcc")
    return Recognised("simcc")


def _are_axes(header: OnnxHeader, size: tuple[int, int] | None) -> bool:
    """Whether two outputs without telling names are (N, K, r W) and (N, K, r H), with one r of at least 1 for both."""
    if size is None or len(header.outputs) != 2 or any(each.rank != 3 for each in header.outputs):
        return False
    (x_points, x_bins), (y_points, y_bins) = ((each.side(1), each.side(2)) for each in header.outputs)
    if None in (x_points, x_bins, y_bins) or x_points != y_points or size[0] == size[1]:
        return False
    return x_bins * size[1] == y_bins * size[0] and x_bins >= size[0]  # type: ignore[operator]


def _mmdeploy(header: OnnxHeader, tells: Mapping[str, Any], size: tuple[int, int] | None) -> Recognised | None:
    names = _by_name(header)
    if {"dets", "keypoints"} <= set(names):
        return Recognised("rtmo")
    if not {"dets", "labels"} <= set(names):
        return None
    columns, labels = names["dets"].side(-1), names["labels"]
    if columns == 5 or columns is None and labels.dtype.startswith("int"):
        if header.first_operations and set(header.first_operations) <= {"Slice", "Shape"} and "Slice" in header.first_operations:
            return Recognised("mmdeploy_yolox")  # YOLOX cuts the image into four (Focus); RTMDet begins with a convolution
        return Recognised("mmdeploy", doubt="taken for RTMDet (BGR, mean and std of ImageNet); for YOLOX, whose pixels are not "
                                            "normalised, write `layout: mmdeploy_yolox` into a card")
    if columns == 4 and not labels.dtype.startswith("int"):
        return Recognised("rfdetr")
    return None


def _named_detrs(header: OnnxHeader, tells: Mapping[str, Any], size: tuple[int, int] | None) -> Recognised | None:
    names = _by_name(header)
    if any(each.name == "orig_target_sizes" for each in header.inputs) and {"labels", "boxes", "scores"} <= set(names):
        return Recognised("rtdetr")
    if "pred_boxes" in names and {"pred_logits", "logits"} & set(names):
        raise refusal(header, "it is a DETR, and whether its logits belong under a sigmoid (`layout: rfdetr`, as RF-DETR and "
                              "Deformable DETR) or a softmax (`layout: detr`) cannot be seen", "rfdetr")
    return None


def _paddle(header: OnnxHeader, tells: Mapping[str, Any], size: tuple[int, int] | None) -> Recognised | None:
    outputs = header.outputs
    if any(each.name == "scale_factor" for each in header.inputs):
        may_be_rows = outputs[0].rank in (2, None) and outputs[0].side(1) in (6, None)
        if len(outputs) >= 2 and may_be_rows and outputs[1].rank in (1, None):
            return Recognised("paddle_boxes")
        if len(outputs) == 2 and outputs[0].side(2) == 4:
            return Recognised("boxes_scores")
    if len(outputs) == 2 and outputs[0].side(2) == 4 and outputs[1].rank == 3:
        if header.inputs[0].name == "image" and outputs[1].side(2) == outputs[0].side(1) is not None:
            return Recognised("boxes_scores")
        raise refusal(header, "its boxes and scores may be those of PaddleDetection or of YOLO-NAS without NMS (`layout: "
                              "boxes_scores`), and how its images are resized and normalised cannot be seen", "boxes_scores")
    levels = len(outputs) // 2
    are_levels = len(outputs) in (6, 8) and all(each.rank == 3 for each in outputs)
    return Recognised("picodet") if are_levels and all(each.side(2) == DISTRIBUTION for each in outputs[levels:]) else None


def _super_gradients(header: OnnxHeader, tells: Mapping[str, Any], size: tuple[int, int] | None) -> Recognised | None:
    names = [each.name for each in header.outputs]
    if any("joints" in name or "poses" in name for name in names) and len(names) == 4:
        return Recognised("yolo_nas_pose")
    if len(names) == 4 and all(any(part in name for name in names) for part in ("num_pred", "boxes", "scores", "classes")):
        return Recognised("yolo_nas")
    if len(names) == 1 and "flat_predictions" in names[0] and header.outputs[0].side(1) in (7, None):
        return Recognised("yolo_nas_flat")
    if len(names) == 2 and all("pre_nms" in name for name in names):
        return Recognised("boxes_scores", {"channels": "rgb", "mean": (0, 0, 0), "std": (1, 1, 1), "resize": "letterbox",
                                           "margin": 4, "interpolation": "linear"})
    return None


def _end2end(header: OnnxHeader, tells: Mapping[str, Any], size: tuple[int, int] | None) -> Recognised | None:
    names = set(_by_name(header))
    if {"num_dets", "det_boxes", "det_scores", "det_classes"} <= names:
        return Recognised("end2end")
    only = header.outputs[0]
    if len(names) == 1 and only.rank == 2 and only.side(1) == 7:
        return Recognised("yolov7_nms")
    return None


def _torchvision(header: OnnxHeader, tells: Mapping[str, Any], size: tuple[int, int] | None) -> Recognised | None:
    """Boxes, then labels and scores of one image in either order; masks or keypoints of further outputs are of no use here."""
    if len(header.outputs) < 3:
        return None
    boxes, *others = header.outputs[:3]
    if boxes.rank != 2 or boxes.side(1) not in (4, None) or any(each.rank != 1 for each in others):
        return None
    if sorted(each.dtype.rstrip("0123456789") for each in others) != ["float", "int"]:
        return None
    is_named = {"boxes", "labels", "scores"} <= set(_by_name(header))
    return Recognised("torchvision", doubt="" if is_named else "taken for torchvision (RGB from 0 to 1); for others state "
                                                               "`channels`, `scale`, `mean` and `std` in a card")


def _heatmaps(header: OnnxHeader, tells: Mapping[str, Any], size: tuple[int, int] | None) -> Recognised | None:
    only = header.outputs[0]
    if len(header.outputs) != 1 or only.rank != 4 or size is None:
        return None
    cells = heatmap_wh(header, size)
    if any(side is not None and not 2 * side <= whole <= 32 * side for side, whole in zip(cells, size)):
        return None
    if header.inputs[0].name == "input_0" and only.name == "output_0":
        return Recognised("heatmap", {"codec": "udp"})
    return Recognised("heatmap")


def _nanodet(header: OnnxHeader, tells: Mapping[str, Any], size: tuple[int, int] | None) -> Recognised | None:
    only = header.outputs[0]
    columns = only.side(2)
    if len(header.outputs) != 1 or only.rank != 3 or header.inputs[0].name != "data":
        return None
    if columns is None or columns <= DISTRIBUTION:
        return None
    rows = only.side(1)
    if size is not None and rows is not None and rows == cells_of(size, GRIDS[0]) != cells_of(size, GRIDS[1]):
        return Recognised("nanodet_center")
    return Recognised("nanodet")


def _raw_maps(header: OnnxHeader, tells: Mapping[str, Any], size: tuple[int, int] | None) -> Recognised | None:
    maps = [each for each in header.outputs if each.rank in (4, 5)]
    if len(maps) >= 2 and len(maps) == len(header.outputs):
        raise refusal(header, "its outputs are the raw maps of several levels, which no layout decodes: export it with its "
                              "decoding (YOLOv5: export.py, YOLOv7: --grid, YOLOX: --decode_in_inference, MMDeploy: with "
                              "post-processing)")
    return None


def _rows_or_columns(header: OnnxHeader, tells: Mapping[str, Any], size: tuple[int, int] | None) -> Recognised | None:
    """One output of three axes, (N, candidates, values) or (N, values, candidates)."""
    only = header.outputs[0]
    is_old_yolov5 = len(header.outputs) == 4 and all(each.rank == 5 for each in header.outputs[1:])
    if only.rank != 3 or len(header.outputs) > 1 and not is_old_yolov5:
        return None
    rows, columns = only.side(1), only.side(2)
    if tells.get("is_yolov5"):
        return Recognised("yolov5")
    grids = {} if size is None else {cells_of(size, grid): grid for grid in GRIDS}
    if rows is not None and _are_channels(rows, columns, grids):
        return _columns(rows)
    if rows is None or columns is None or columns < 6:
        return None
    if rows <= MOST_BOXES and not any(rows in (count, 3 * count) for count in grids):
        if columns == 6:
            return Recognised("yolov8_nms")
        if columns == 6 + COCO_POSE_VALUES:
            return Recognised("yolo_pose_nms")
    return _rows(header, rows, columns, grids)


def _are_channels(rows: int, columns: int | None, grids: Mapping[int, Any]) -> bool:
    """Whether the second axis holds the values of a candidate and the third the candidates."""
    if rows < 5:
        return False
    if columns is None:
        return True
    if columns < 5:  # fewer than a box with a score: they are candidates
        return columns in grids or rows in (4 + COCO_CLASSES, 5 + COCO_POSE_VALUES)
    return rows < columns and (columns in grids or rows in (4 + COCO_CLASSES, 5 + COCO_POSE_VALUES))


def _columns(rows: int) -> Recognised:
    if rows == 4 + COCO_CLASSES:
        return Recognised("yolov8")
    if rows == 5 + COCO_POSE_VALUES:
        return Recognised("yolo_pose", doubt="taken for COCO's 17 keypoints and one class, because the file has no metadata; for "
                                             "boxes of 52 classes write `layout: yolov8` into a card")
    return Recognised("yolov8", doubt=f"taken for {rows - 4} classes, because the file has no metadata")


def _rows(header: OnnxHeader, rows: int, columns: int, grids: Mapping[int, Any]) -> Recognised | None:
    if any(rows == 3 * count for count in grids):  # three anchors per cell
        if columns == 6 + COCO_POSE_VALUES:
            return Recognised("yolov7_pose", doubt="taken for COCO's 17 keypoints and one class; for boxes of 52 classes write "
                                                   "`layout: yolov5` into a card")
        return Recognised("yolov5")
    name, first = header.outputs[0].name, header.inputs[0].name
    if rows in grids and first == "images" and name == "outputs":
        return Recognised("yolov5")  # YOLOv6, whose objectness is 1
    if rows in grids and first == "images" and name == "output":
        return Recognised("yolox", {"strides": grids[rows]})
    if rows in grids and rows != columns == 4 + COCO_CLASSES:
        return Recognised("yolov8")  # rows instead of columns; YOLOX would have 79 classes
    if columns in (COCO_CLASSES + DISTRIBUTION, 1 + DISTRIBUTION) and grids.get(rows) == GRIDS[1]:
        return Recognised("nanodet")
    if rows in grids:
        raise refusal(header, f"its {rows} rows may be those of YOLOX (`layout: yolox`), of YOLOv6 or a decoded YOLOX (`layout: "
                              "yolov5`), or of NanoDet (`layout: nanodet`)")
    if rows == 300 and columns > 6:
        return Recognised("rtdetr_rows")
    return None


def cells_of(input_wh: tuple[int, int], strides: tuple[int, ...]) -> int:
    """Number of cells of all levels."""
    return sum(-(-input_wh[0] // stride) * -(-input_wh[1] // stride) for stride in strides)


_RULES: tuple[Callable[[OnnxHeader, Mapping[str, Any], tuple[int, int] | None], Recognised | None], ...] = (
    _ultralytics, _simcc, _mmdeploy, _named_detrs, _paddle, _super_gradients, _end2end, _torchvision, _heatmaps, _nanodet,
    _raw_maps, _rows_or_columns,
)  # fmt: skip
