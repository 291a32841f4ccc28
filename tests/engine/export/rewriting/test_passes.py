"""Each pass: the graph it is made for shrinks as it should, computes the same, and graphs that only look alike stay."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.onnx_graphs import RNG, Net, outputs_of

from ppdet.core.shipped import bundled_models_folder
from ppdet.engine.export.rewriting.channel_routes import route_channels
from ppdet.engine.export.rewriting.constants import drop_identities, fold_constants
from ppdet.engine.export.rewriting.convolutions import fold_batch_norms
from ppdet.engine.export.rewriting.corner_resize import resize_in_one
from ppdet.engine.export.rewriting.graph import OnnxGraph
from ppdet.engine.export.rewriting.narrow_outputs import fill_narrow_outputs
from ppdet.engine.export.rewriting.passes import PASSES, rewrite_file
from ppdet.engine.export.rewriting.static_shapes import write_static_shapes
from ppdet.engine.export.rewriting.upsampled_sums import nest_upsampled_sums

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def kinds(model: Any) -> Counter:
    return Counter(node.op_type for node in model.graph.node)


def rewritten(net: Net, *outputs: str, passes: Any) -> tuple[int, Counter]:
    """Rewrites, checks that the outputs stay, and returns what the last pass counted and the kinds of the nodes."""
    before = net.model(*outputs)
    kept = before.SerializeToString()
    graph = OnnxGraph(before)
    count = [each(graph) for each in passes][-1]
    after = graph.model()
    if all(value.type.tensor_type.HasField("shape") for value in after.graph.output):  # else the given model fails, too
        onnx.checker.check_model(after)
    assert before.SerializeToString() == kept, "the given model is not changed"
    feeds = {"x": RNG.normal(0, 1, [2 if isinstance(side, str) else side for side in net.shape]).astype(np.float32)}
    assert [value.name for value in after.graph.output] == list(outputs)
    for one, other in zip(outputs_of(before, feeds), outputs_of(after, feeds)):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)
    return count, kinds(after)


def test_shapes_computed_from_shapes_become_constants() -> None:
    net = Net()
    front = net.node("Slice", net.node("Shape", "x"), *[net.constant([side], np.int64) for side in (0, 2, 0)])
    flat = net.node("Reshape", "x", net.node("Concat", front, net.constant([-1], np.int64), axis=0))
    assert rewritten(net, net.node("Relu", flat), passes=(write_static_shapes,)) == (1, {"Reshape": 1, "Relu": 1})


def test_shapes_that_depend_on_the_image_stay() -> None:
    net = Net("batch", 8, "high", "wide")
    flat = net.node("Reshape", "x", net.node("Shape", "x"))
    assert rewritten(net, net.node("Relu", flat), passes=(write_static_shapes,))[0] == 0


def test_constants_are_computed_and_neutral_nodes_dropped() -> None:
    net = Net()
    two = net.node("Sub", net.constant([3.0]), net.constant([1.0]))
    once = net.node("Mul", net.node("Identity", "x"), net.node("Sub", two, net.constant([1.0])))
    same = net.node("Add", net.constant([0.0]), once)
    reshaped = net.node("Reshape", same, net.constant([-1, 8, 6, 4], np.int64))
    count, found = rewritten(net, net.node("Add", reshaped, two), passes=(fold_constants, drop_identities))
    assert count == 4 and found == {"Add": 1}


def test_nodes_that_change_something_stay() -> None:
    net = Net("batch", 1, 1, 4)
    wider = net.node("Mul", "x", net.constant(np.ones((1, 8, 6, 1))))  # broadcasts
    half = net.node("Add", wider, net.constant([0.0, 0.0, 0.0, 1e-3]))
    whole = net.node("Cast", half, to=onnx.TensorProto.INT32)
    count, found = rewritten(net, net.node("Cast", whole, to=onnx.TensorProto.FLOAT), passes=(drop_identities,))
    assert count == 0 and found == {"Mul": 1, "Add": 1, "Cast": 2}


def test_an_output_that_equals_the_input_keeps_its_name() -> None:
    net = Net()
    name = net.node("Identity", net.node("Relu", "x"))
    assert rewritten(net, name, net.node("Identity", "x"), passes=(drop_identities,))[1] == {"Relu": 1, "Identity": 1}


@pytest.mark.parametrize("kind", ["Conv", "Depthwise", "ConvTranspose", "GroupedTranspose"])
def test_batch_norms_scales_and_biases_go_into_the_weights(kind: str) -> None:
    net = Net()
    if "Transpose" in kind:
        groups = 2 if "Grouped" in kind else 1
        source = net.node("ConvTranspose", "x", net.constant(RNG.normal(0, 0.4, (8, 8 // groups, 2, 2))), group=groups)
    else:
        source = net.conv("x", 8, 8, 3, group=8 if kind == "Depthwise" else 1)
    parameters = [net.constant(RNG.uniform(0.5, 2, 8)) for _ in range(4)]
    normed = net.node("BatchNormalization", source, *parameters, epsilon=1e-3)
    shifted = net.node("Add", normed, net.constant(RNG.normal(0, 1, (1, 8, 1, 1))))
    doubled = net.node("Mul", shifted, net.constant([2.0]))
    count, found = rewritten(net, net.node("Relu", doubled), passes=(fold_batch_norms,))
    assert count == 3 and sum(found.values()) == 2


def test_a_convolution_with_two_takers_keeps_its_batch_norm() -> None:
    net = Net()
    source = net.conv("x", 8, 8)
    normed = net.node("BatchNormalization", source, *[net.constant(RNG.uniform(0.5, 2, 8)) for _ in range(4)])
    assert rewritten(net, net.node("Add", source, normed), passes=(fold_batch_norms,))[0] == 0


def stretched(net: Net, name: str, axis: int, given: int, length: int, shift: float = 0.0) -> str:
    """Linear interpolation by gathers, as `modeling` writes it."""
    position = np.arange(length) * (given - 1) / (length - 1) + shift
    near = np.minimum(position.astype(int), given - 2)
    shape = [1, 1, 1, 1]
    shape[axis] = length
    first = net.node("Gather", name, net.constant(near, np.int64), axis=axis)
    gap = net.node("Sub", net.node("Gather", name, net.constant(near + 1, np.int64), axis=axis), first)
    return net.node("Add", first, net.node("Mul", gap, net.constant((position - near).reshape(shape))))


@pytest.mark.parametrize("size", [(12, 8), (9, 10), (13, 5), (3, 3)])
def test_corner_aligned_resizing_becomes_one_node(size: tuple[int, int]) -> None:
    net = Net()
    rows = stretched(net, "x", 2, 6, size[0])
    assert rewritten(net, stretched(net, rows, 3, 4, size[1]), passes=(resize_in_one,)) == (1, {"Resize": 1})


def test_other_interpolations_stay() -> None:
    net = Net()
    rows = stretched(net, "x", 2, 6, 12, shift=0.01)
    assert rewritten(net, stretched(net, rows, 3, 4, 8), passes=(resize_in_one,))[0] == 0


def test_upsampled_maps_are_added_at_the_smallest_size() -> None:
    net = Net("batch", 8, 16, 8)
    half, quarter, eighth = (net.conv("x", 8, 8, 3, strides=[s, s]) for s in (2, 4, 8))
    total = net.node("Add", "x", net.resize(half, 2))
    total = net.node("Add", net.resize(quarter, 4), total)
    total = net.node("Add", total, net.resize(eighth, 8))
    count, found = rewritten(net, net.node("Relu", total), passes=(nest_upsampled_sums,))
    assert count == 1 and found == {"Conv": 3, "Resize": 3, "Add": 3, "Relu": 1}


def test_maps_that_do_not_nest_stay() -> None:
    net = Net("batch", 8, 12, 12)
    total = net.node("Add", net.resize(net.conv("x", 8, 8, 3, strides=[2, 2]), 2),
                     net.resize(net.conv("x", 8, 8, 3, strides=[3, 3]), 3))  # fmt: skip
    shared = net.resize(net.conv("x", 8, 8, 3, strides=[2, 2]), 2)
    both = net.node("Add", shared, net.resize(net.conv("x", 8, 8, 3, strides=[4, 4]), 4))
    assert rewritten(net, total, net.node("Mul", both, shared), passes=(nest_upsampled_sums,))[0] == 0


@pytest.mark.parametrize("made", [1, 2])
@pytest.mark.parametrize("size", [(6, 8), (12, 6), (5, 8), (8, 3), (6, 6), (3, 4), (4, 3)])
def test_few_output_channels_are_filled_with_pixels(made: int, size: tuple[int, int]) -> None:
    net = Net("batch", 8, *size)
    plain = net.conv("x", 8, made, 5)
    biased = net.node("Conv", "x", net.constant(RNG.normal(0, 0.4, (made, 8, 3, 3))), net.constant(RNG.normal(0, 1, made)),
                      pads=[2, 0, 0, 2])  # fmt: skip
    count, found = rewritten(net, plain, net.node("Relu", biased), passes=(fill_narrow_outputs,))
    assert count == 2 and found == {"Conv": 2, "Reshape": 4, "Transpose": 2, "Relu": 1}


def test_convolutions_that_cannot_be_filled_stay() -> None:
    net = Net("batch", 8, 8, 8)
    outputs = [net.conv("x", 8, 3, 3), net.conv("x", 8, 1, 1), net.conv("x", 8, 1, 3, strides=[2, 2]),
               net.conv("x", 8, 1, 4), net.conv("x", 8, 2, 3, group=2), net.conv("x", 8, 1, 3, dilations=[2, 2])]  # fmt: skip
    assert rewritten(net, *outputs, passes=(fill_narrow_outputs,))[0] == 0
    any_size = Net("batch", 8, "high", "wide")
    assert fill_narrow_outputs(OnnxGraph(any_size.model(any_size.conv("x", 8, 1, 3)))) == 0


def shuffle_units(net: Net, name: str, channels: int, count: int) -> str:
    half = channels // 2
    for _ in range(count):
        kept, changed = net.node("Split", name, net.constant([half, half], np.int64), outputs=2, axis=1)
        changed = net.node("Relu", net.conv(net.conv(changed, half, half), half, half, 3, group=half))
        name = net.shuffle(net.node("Concat", kept, changed, axis=1), channels)
    return name


@pytest.mark.parametrize("count", [1, 2, 3])
def test_shuffles_between_convolutions_disappear(count: int) -> None:
    net = Net()
    last = shuffle_units(net, net.conv("x", 8, 8), 8, count)
    removed, found = rewritten(net, net.conv(last, 8, 4), passes=(route_channels,))
    assert removed == count and not found.keys() & {"Reshape", "Transpose", "Gather"}


def test_takers_that_need_the_order_get_it() -> None:
    net = Net()
    last = shuffle_units(net, net.conv("x", 8, 8), 8, 2)
    removed, found = rewritten(net, net.conv(last, 8, 4), net.node("Relu", last), last, passes=(route_channels,))
    assert found["Conv"] == 6 and removed == 0, "a value that is an output itself keeps the shuffles that lead to it"
    net = Net()
    last = shuffle_units(net, net.conv("x", 8, 8), 8, 2)
    wide = net.conv(last, 8, 8, 3, group=8)
    assert rewritten(net, net.node("Add", wide, last), passes=(route_channels,))[1]["Gather"] == 1


def test_a_convolution_per_channel_passes_the_order_on() -> None:
    """And a shuffle that has to stay is written as one: OpenVINO computed nonsense from a gather in its place."""
    net = Net()
    last = shuffle_units(net, net.conv("x", 8, 8), 8, 1)
    wide = net.node("Conv", last, net.constant(RNG.normal(0, 0.4, (8, 1, 3, 3))), net.constant(RNG.normal(0, 1, 8)),
                    pads=[1, 1, 1, 1], group=8)  # fmt: skip
    removed, found = rewritten(net, net.conv(wide, 8, 4), net.conv(wide, 8, 3), passes=(route_channels,))
    assert removed == 1 and not found.keys() & {"Transpose", "Gather"}
    net = Net()
    last = shuffle_units(net, net.conv("x", 8, 8), 8, 1)
    removed, found = rewritten(net, net.node("Relu", last), passes=(route_channels,))
    assert (removed, found["Transpose"], found["Gather"]) == (0, 1, 0)


def test_turns_that_are_no_shuffles_stay() -> None:
    net = Net()
    five = net.node("Reshape", "x", net.constant([-1, 2, 4, 6, 4], np.int64))
    turned = net.node("Transpose", five, perm=[0, 1, 2, 4, 3])
    assert rewritten(net, net.node("Reshape", turned, net.constant([-1, 8, 6, 4], np.int64)), passes=(route_channels,))[0] == 0


@pytest.mark.parametrize("name", ["tinypose_128x96", "picodet_s_320_person"])
def test_bundled_models_compute_the_same(name: str, tmp_path: Path) -> None:
    model = onnx.load(str(bundled_models_folder() / name / "model.onnx"))
    path = tmp_path / "model.onnx"
    onnx.save(model, str(path))
    rewrite_file(path)
    after = onnx.load(str(path))
    assert len(after.graph.node) < len(fold(model).graph.node)  # a bundled file is rewritten, but for its batch norms
    assert "Transpose" not in kinds(after) or name.startswith("picodet")
    shape = [each.dim_value or 2 for each in model.graph.input[0].type.tensor_type.shape.dim]
    feeds = {model.graph.input[0].name: RNG.normal(0, 1, shape).astype(np.float32)}
    feeds.update({value.name: np.ones((shape[0], 2), np.float32) for value in model.graph.input[1:]})
    for one, other in zip(outputs_of(model, feeds), outputs_of(after, feeds)):
        close = np.isclose(one, other, atol=1e-4 * max(1.0, np.abs(one).max())).reshape(len(one), -1).all(axis=1)
        # Boxes in noise: rounding decides which of two with the same score is the hundredth.
        assert close.mean() >= (0.97 if name.startswith("picodet") else 1.0)
    assert all(each(OnnxGraph(after)) == 0 for each in PASSES), "a second time there is nothing left to do"


def fold(model: Any) -> Any:
    graph = OnnxGraph(model)
    fold_constants(graph)
    return graph.model()
