"""The counterpart of each ONNX operator in Paddle 2, where one exists."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from ppdet.core.errors import ExportError
from ppdet.engine.export.legacy.translation import Translation

Translate = Callable[[Translation, Any], None]
OPERATORS: dict[str, Translate] = {}


def translates(*kinds: str) -> Callable[[Translate], Translate]:
    """Function decorator: it translates these kinds of nodes."""

    def enter(function: Translate) -> Translate:
        OPERATORS.update(dict.fromkeys(kinds, function))
        return function

    return enter


# ---------------------------------------------------------------- convolutions and pooling


@translates("Conv", "ConvTranspose")
def _convolution(t: Translation, node: Any) -> None:
    given = t.options(node)
    weights, groups = t.constant(node.input[1], node), given.get("group", 1)
    channels = t.shape(node.input[0])[1]
    settings = {
        "strides": list(given.get("strides", [1, 1])),
        "paddings": _paddings(given),
        "dilations": list(given.get("dilations", [1, 1])),
        "groups": groups,
        "padding_algorithm": "EXPLICIT",
        "data_format": "NCHW",
    }
    kind = "conv2d"
    if node.op_type == "ConvTranspose":
        kind = "conv2d_transpose"
        settings.update(output_padding=list(given.get("output_padding", [])), output_size=[])
    elif groups == channels and groups > 1 and weights.shape[0] % groups == 0:
        kind = "depthwise_conv2d"
    has_bias = len(node.input) > 2 and bool(node.input[2])
    made = t.between(node.output[0], "conv") if has_bias else t.out(node.output[0])
    inputs = {"Input": [t.value(node.input[0])], "Filter": [t.value(node.input[1])]}
    t.writer.operator(kind, inputs, {"Output": [made]}, settings)
    if has_bias:
        inputs = {"X": [made], "Y": [t.value(node.input[2])]}
        t.writer.operator("elementwise_add", inputs, {"Out": [t.out(node.output[0])]}, {"axis": 1})


def _paddings(given: dict[str, Any]) -> list[int]:
    top, left, bottom, right = given.get("pads", [0, 0, 0, 0])
    return [top, left] if (top, left) == (bottom, right) else [top, bottom, left, right]


@translates("AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool")
def _pooling(t: Translation, node: Any) -> None:
    given = t.options(node)
    whole = node.op_type.startswith("Global")
    settings = {
        "pooling_type": "avg" if "Average" in node.op_type else "max",
        "ksize": [1, 1] if whole else list(given["kernel_shape"]),
        "global_pooling": whole,
        "adaptive": False,
        "strides": list(given.get("strides", [1, 1])),
        "paddings": [0, 0] if whole else _paddings(given),
        "exclusive": not given.get("count_include_pad", 0),
        "ceil_mode": bool(given.get("ceil_mode", 0)),
        "padding_algorithm": "EXPLICIT",
        "data_format": "NCHW",
    }
    if len(node.output) > 1:
        raise ExportError("MaxPool with indices has no counterpart in a .pdmodel; leave out legacy and lite")
    t.writer.operator("pool2d", {"X": [t.value(node.input[0])]}, {"Out": [t.out(node.output[0])]}, settings)


@translates("Resize")
def _resize(t: Translation, node: Any) -> None:
    given = t.options(node)
    height, width = t.shape(node.output[0])[2:]
    scales = t.graph.constant(node.input[2]) if len(node.input) > 2 else None
    placing = given.get("coordinate_transformation_mode", "half_pixel")
    kinds = {("nearest", "asymmetric"): (False, 1), ("linear", "align_corners"): (True, 1), ("linear", "half_pixel"): (False, 0),
             ("linear", "asymmetric"): (False, 1), ("linear", "pytorch_half_pixel"): (False, 0)}  # fmt: skip
    mode = given.get("mode", "nearest")
    if (mode, placing) not in kinds or (mode == "nearest" and given.get("nearest_mode") != "floor"):
        raise ExportError(f"resizing by {mode}, {placing} has no counterpart in a .pdmodel; leave out legacy and lite")
    corners, align_mode = kinds[mode, placing]
    fixed = height is not None and width is not None
    if not fixed and (scales is None or len(scales) != 4):
        raise ExportError("resizing to a size that depends on the image has no counterpart here; leave out legacy and lite")
    settings = {
        "interp_method": "bilinear" if mode == "linear" else "nearest",
        "align_corners": corners,
        "align_mode": align_mode,
        "data_layout": "NCHW",
        "out_d": -1,
        "out_h": height if fixed else -1,
        "out_w": width if fixed else -1,
        "scale": np.zeros(0, np.float32) if fixed or scales is None else np.asarray(scales[2:], np.float32),
    }
    kind = f"{settings['interp_method']}_interp_v2"
    t.writer.operator(kind, {"X": [t.value(node.input[0])]}, {"Out": [t.out(node.output[0])]}, settings)


# ---------------------------------------------------------------- element by element

UNARY = ("Relu", "Sigmoid", "Sqrt", "Exp", "Tanh", "Floor", "Ceil", "Abs", "Log", "Erf", "Round", "Reciprocal")


@translates(*UNARY)
def _unary(t: Translation, node: Any) -> None:
    t.writer.operator(node.op_type.lower(), {"X": [t.value(node.input[0])]}, {"Out": [t.out(node.output[0])]})


@translates("HardSigmoid", "LeakyRelu", "HardSwish", "Clip", "Softmax", "Neg")
def _activation(t: Translation, node: Any) -> None:
    given = t.options(node)
    kind, settings = {
        "HardSigmoid": ("hard_sigmoid", {"slope": given.get("alpha", 0.2), "offset": given.get("beta", 0.5)}),
        "LeakyRelu": ("leaky_relu", {"alpha": given.get("alpha", 0.01)}),
        "HardSwish": ("hard_swish", {"threshold": 6.0, "scale": 6.0, "offset": 3.0}),
        "Softmax": ("softmax", {"axis": given.get("axis", -1)}),
        "Neg": ("scale", {"scale": -1.0, "bias": 0.0, "bias_after_scale": True}),
        "Clip": ("clip", _limits(t, node) if node.op_type == "Clip" else {}),
    }[node.op_type]
    t.writer.operator(kind, {"X": [t.value(node.input[0])]}, {"Out": [t.out(node.output[0])]}, settings)


def _limits(t: Translation, node: Any) -> dict[str, float]:
    """The bounds of Clip; without one, float32's."""
    largest = float(np.finfo(np.float32).max)
    limits = {"min": -largest, "max": largest}
    for name, value in zip(("min", "max"), node.input[1:]):
        if value:
            limits[name] = float(t.constant(value, node).reshape(()))
    return limits


BINARY = {"Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Pow": "pow", "Max": "max", "Min": "min", "Mod": "mod"}


@translates(*BINARY)
def _binary(t: Translation, node: Any) -> None:
    if _scaled(t, node):
        return
    first, second = node.input
    ranks = [len(t.shape(name)) for name in (first, second)]
    if ranks[0] < ranks[1] and node.op_type in ("Add", "Mul", "Max", "Min"):  # Paddle Lite broadcasts the second one
        first, second = second, first
    axis, values = -1, t.graph.constant(second)
    if values is not None and values.ndim == 4 and values.shape[0] == 1 and values.shape[2:] == (1, 1):
        second, axis = t.writer.parameter(values.reshape(-1)), 1
    elif values is not None and values.ndim == 0:
        second = t.writer.parameter(values.reshape(1))
    else:
        second = t.value(second)
    inputs = {"X": [t.value(first)], "Y": [second]}
    t.writer.operator(f"elementwise_{BINARY[node.op_type]}", inputs, {"Out": [t.out(node.output[0])]}, {"axis": axis})


def _scaled(t: Translation, node: Any) -> bool:
    """Write an operation with one constant number as `scale`; False if it is none."""
    first, second = (t.graph.constant(name) for name in node.input)
    number = second if first is None else first if node.op_type in ("Add", "Mul") else None
    data = node.input[0] if first is None else node.input[1]
    fits = number is not None and number.size == 1 and number.dtype == np.float32 and number.ndim <= len(t.shape(data))
    if not fits or number is None or node.op_type not in ("Add", "Sub", "Mul", "Div"):
        return False
    value = float(number.reshape(()))
    scale = {"Mul": value, "Div": 1 / value if value else 0.0}.get(node.op_type, 1.0)
    bias = {"Add": value, "Sub": -value}.get(node.op_type, 0.0)
    if node.op_type == "Div" and not value:
        return False
    settings = {"scale": scale, "bias": bias, "bias_after_scale": True}
    t.writer.operator("scale", {"X": [t.value(data)]}, {"Out": [t.out(node.output[0])]}, settings)
    return True


@translates("MatMul")
def _product(t: Translation, node: Any) -> None:
    inputs = {"X": [t.value(node.input[0])], "Y": [t.value(node.input[1])]}
    t.writer.operator("matmul_v2", inputs, {"Out": [t.out(node.output[0])]}, {"trans_x": False, "trans_y": False})


@translates("Cast")
def _cast(t: Translation, node: Any) -> None:
    types = [t.writer.dtype(t.dtype(name)) for name in (node.input[0], node.output[0])]
    settings = {"in_dtype": types[0], "out_dtype": types[1]}
    t.writer.operator("cast", {"X": [t.value(node.input[0])]}, {"Out": [t.out(node.output[0])]}, settings)


# ---------------------------------------------------------------- over an axis


@translates("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd")
def _reduction(t: Translation, node: Any) -> None:
    given = t.options(node)
    axes = given.get("axes")
    if axes is None:
        axes = t.constant(node.input[1], node).tolist() if len(node.input) > 1 else list(range(len(t.shape(node.input[0]))))
    settings = {"dim": list(axes), "keep_dim": bool(given.get("keepdims", 1)), "reduce_all": False}
    kind = f"reduce_{node.op_type[len('Reduce'):].lower()}"
    t.writer.operator(kind, {"X": [t.value(node.input[0])]}, {"Out": [t.out(node.output[0])]}, settings)


@translates("ArgMax")
def _argmax(t: Translation, node: Any) -> None:
    given = t.options(node)
    axis = np.int64(given.get("axis", 0) % len(t.shape(node.input[0])))  # this one attribute has 64 bits
    numbers = t.writer.dtype(np.int64)
    settings = {"axis": axis, "keepdims": bool(given.get("keepdims", 1)), "dtype": numbers, "flatten": False}
    t.writer.operator("arg_max", {"X": [t.value(node.input[0])]}, {"Out": [t.out(node.output[0])]}, settings)


@translates("TopK")
def _top(t: Translation, node: Any) -> None:
    given = t.options(node)
    settings = {
        "k": int(t.constant(node.input[1], node).reshape(())), "axis": given.get("axis", -1),
        "largest": bool(given.get("largest", 1)), "sorted": bool(given.get("sorted", 1)),
    }  # fmt: skip
    values, places = (t.out(name) if name else t.between(node.output[0], "topk") for name in node.output)
    t.writer.operator("top_k_v2", {"X": [t.value(node.input[0])]}, {"Out": [values], "Indices": [places]}, settings)


# ---------------------------------------------------------------- shapes and places


@translates("Concat")
def _concat(t: Translation, node: Any) -> None:
    inputs = {"X": [t.value(name) for name in node.input]}
    t.writer.operator("concat", inputs, {"Out": [t.out(node.output[0])]}, {"axis": t.options(node)["axis"]})


@translates("Split")
def _split(t: Translation, node: Any) -> None:
    axis = t.options(node).get("axis", 0)
    sections = [t.shape(name)[axis] for name in node.output]
    if None in sections:
        raise ExportError("a Split into parts that depend on the image has no counterpart; leave out legacy and lite")
    settings = {"axis": axis, "sections": sections, "num": 0}
    t.writer.operator("split", {"X": [t.value(node.input[0])]}, {"Out": [t.out(name) for name in node.output]}, settings)


@translates("Slice")
def _slice(t: Translation, node: Any) -> None:
    starts, ends = (t.constant(name, node).tolist() for name in node.input[1:3])
    axes = t.constant(node.input[3], node).tolist() if len(node.input) > 3 and node.input[3] else list(range(len(starts)))
    steps = t.constant(node.input[4], node).tolist() if len(node.input) > 4 else [1] * len(starts)
    largest = 2**31 - 1
    settings = {
        "axes": axes, "starts": starts, "ends": [max(min(end, largest), -largest) for end in ends],
        "infer_flags": [1] * len(axes), "decrease_axis": [],
    }  # fmt: skip
    kind = "slice" if all(step == 1 for step in steps) else "strided_slice"
    if kind == "strided_slice":
        settings["strides"] = steps
    t.writer.operator(kind, {"Input": [t.value(node.input[0])]}, {"Out": [t.out(node.output[0])]}, settings)


@translates("Gather")
def _gather(t: Translation, node: Any) -> None:
    axis, places = t.options(node).get("axis", 0), t.graph.constant(node.input[1])
    if places is not None and places.ndim != 1:
        raise ExportError("Gather with indices of several axes has no counterpart here; leave out legacy and lite")
    inputs = {"X": [t.value(node.input[0])], "Index": [t.value(node.input[1])]}
    if axis:
        t.writer.operator("index_select", inputs, {"Out": [t.out(node.output[0])]}, {"dim": axis})
    else:
        t.writer.operator("gather", inputs, {"Out": [t.out(node.output[0])]}, {"axis": 0, "overwrite": True})


@translates("Reshape", "Flatten")
def _reshape(t: Translation, node: Any) -> None:
    if node.op_type == "Flatten":
        sides = t.shape(node.output[0])
        shape = [-1 if side is None else side for side in sides]
    else:
        shape = t.constant(node.input[1], node).tolist()
    if sum(side == -1 for side in shape) > 1:
        raise ExportError("a Flatten of two unknown sides has no counterpart; leave out legacy and lite")
    _shaped(t, node, "reshape2", {"shape": shape})


@translates("Transpose")
def _transpose(t: Translation, node: Any) -> None:
    _shaped(t, node, "transpose2", {"axis": list(t.options(node)["perm"])})


@translates("Unsqueeze", "Squeeze")
def _squeeze(t: Translation, node: Any) -> None:
    axes = t.constant(node.input[1], node).tolist() if len(node.input) > 1 else t.options(node).get("axes", [])
    _shaped(t, node, f"{node.op_type.lower()}2", {"axes": list(axes)})


def _shaped(t: Translation, node: Any, kind: str, settings: dict[str, Any]) -> None:
    outputs = {"Out": [t.out(node.output[0])], "XShape": [t.shape_record(node.input[0])]}
    t.writer.operator(kind, {"X": [t.value(node.input[0])]}, outputs, settings)


@translates("Identity")
def _identity(t: Translation, node: Any) -> None:
    t.writer.operator("assign", {"X": [t.value(node.input[0])]}, {"Out": [t.out(node.output[0])]})
