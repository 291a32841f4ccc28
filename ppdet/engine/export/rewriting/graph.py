"""An ONNX graph that passes read and change: producers, consumers, constants and shapes of its values.

Shapes: the first axis is the batch and may be unknown (None); the sides of images in graphs of any size are None as well.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Iterable, Sequence

import numpy as np

from ppdet.core.errors import ExportError

Shape = tuple  # of int | None


class OnnxGraph:
    """A model that is being changed. Nodes are added anywhere; `model` puts them in order and drops what no output needs.

    Args:
        model: an onnx.ModelProto; it is not changed. Nodes with subgraphs are kept and never rewritten.
    """

    def __init__(self, model: Any) -> None:
        import onnx
        from onnx import numpy_helper

        self._source = onnx.ModelProto()
        self._source.CopyFrom(model)
        model = self._source
        self.opset = max(each.version for each in model.opset_import if each.domain in ("", "ai.onnx"))
        self.nodes: list[Any] = list(model.graph.node)
        self.constants: dict[str, np.ndarray] = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
        self.inputs = [each.name for each in model.graph.input if each.name not in self.constants]
        self.outputs = [each.name for each in model.graph.output]
        self._count = 0
        self.refresh()

    # ---------------------------------------------------------------- looking

    def refresh(self) -> None:
        """Bring producers, consumers and shapes up to date after nodes were added, removed or rewired."""
        self._makers = {name: node for node in self.nodes for name in node.output if name}
        takers: dict[str, list[Any]] = defaultdict(list)
        for node in self.nodes:
            for name in dict.fromkeys([*node.input, *_inner_inputs(node)]):
                takers[name].append(node)
        self._takers = dict(takers)
        self._shapes: dict[str, Shape] | None = None

    def maker(self, name: str, *kinds: str) -> Any:
        """The node that produces a value; None if none does, or it is not of one of the kinds."""
        node = self._makers.get(name)
        return node if node is not None and (not kinds or node.op_type in kinds) else None

    def takers(self, name: str) -> list[Any]:
        """The nodes that consume a value, each once."""
        return self._takers.get(name, [])

    def only_taker(self, name: str, *kinds: str) -> Any:
        """The single node that consumes a value, if it is of one of the kinds and the value is no output of the graph."""
        takers = self.takers(name)
        single = len(takers) == 1 and name not in self.outputs
        return takers[0] if single and (not kinds or takers[0].op_type in kinds) else None

    def ordered(self) -> list[Any]:
        """The nodes that the outputs need, each after those whose values it takes."""
        return _in_order(self.nodes, self.outputs)

    def constant(self, name: str) -> np.ndarray | None:
        """The array of a constant value, or None."""
        return self.constants.get(name)

    def shape(self, name: str) -> Shape | None:
        """Shape of a value, None for sides that depend on the input; None if even the number of axes is unknown."""
        if name in self.constants:
            return self.constants[name].shape
        if self._shapes is None:
            self._shapes = _inferred_shapes(self.model())
        return self._shapes.get(name)

    # ---------------------------------------------------------------- changing

    def name(self, hint: str) -> str:
        """A name that no value has."""
        while True:
            self._count += 1
            name = f"{hint}.{self._count}"
            if name not in self._makers and name not in self.constants and name not in self.inputs:
                return name

    def add_constant(self, values: Any, hint: str, dtype: Any = np.float32) -> str:
        """Add a constant; returns its name."""
        name = self.name(hint)
        self.constants[name] = np.asarray(values, dtype)
        return name

    def add(self, kind: str, inputs: Sequence[str], outputs: Sequence[str] | None = None, **attributes: Any) -> Any:
        """Add a node; without `outputs` it gets one with a new name."""
        from onnx import helper

        outputs = list(outputs) if outputs is not None else [self.name(kind.lower())]
        node = helper.make_node(kind, list(inputs), outputs, name=f"{kind}.{outputs[0]}", **attributes)
        self.nodes.append(node)
        self._makers.update(dict.fromkeys(outputs, node))
        for name in dict.fromkeys(inputs):
            self._takers.setdefault(name, []).append(node)
        return node

    def remove(self, nodes: Iterable[Any]) -> None:
        """Remove nodes."""
        removed = list(nodes)
        gone = {id(node) for node in removed}
        self.nodes = [node for node in self.nodes if id(node) not in gone]
        for name in {name for node in removed for name in [*node.input, *_inner_inputs(node)]}:
            self._takers[name] = [node for node in self._takers.get(name, []) if id(node) not in gone]

    def replace(self, old: str, new: str) -> None:
        """Make everything that consumes `old` consume `new`. An output of the graph keeps its name: `new` is renamed to it."""
        if old in self.outputs:
            self._rename_maker(old, new)
            return
        moved = self._takers.pop(old, [])
        for node in moved:
            _rename_inputs(node, old, new)
        takers = self._takers.setdefault(new, [])
        takers.extend(node for node in moved if not any(node is each for each in takers))

    def _rename_maker(self, old: str, new: str) -> None:
        maker = self._makers.get(old)
        if maker is not None:
            maker.output[list(maker.output).index(old)] = self.name("unused")
        source = self._makers.get(new)
        if source is None or new in self.outputs:  # an input, a constant, or another output: a name of its own is needed
            self.add("Identity", [new], [old])
            return
        source.output[list(source.output).index(new)] = old
        self._makers[old] = source
        for node in self._takers.pop(new, []):
            _rename_inputs(node, new, old)
            self._takers.setdefault(old, []).append(node)

    def model(self) -> Any:
        """The changed model: nodes in topological order, without those and the constants that no output needs.

        Raises:
            ExportError: the nodes form a cycle.
        """
        import onnx
        from onnx import numpy_helper

        nodes = self.ordered()
        used = {name for node in nodes for name in [*node.input, *_inner_inputs(node)]} | set(self.outputs)
        model = onnx.ModelProto()
        model.CopyFrom(self._source)
        graph = model.graph
        for field in (graph.node, graph.initializer, graph.value_info):
            del field[:]
        graph.node.extend(nodes)
        graph.initializer.extend(
            numpy_helper.from_array(np.ascontiguousarray(each).reshape(each.shape), name)
            for name, each in self.constants.items()
            if name in used
        )
        return model


def attributes(node: Any) -> dict[str, Any]:
    """Attributes of a node as Python values; text as str."""
    from onnx import helper

    found = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in found.items()}


def _rename_inputs(node: Any, old: str, new: str) -> None:
    for position, name in enumerate(node.input):
        if name == old:
            node.input[position] = new
    for attribute in node.attribute:
        if attribute.HasField("g"):
            for inner in attribute.g.node:
                _rename_inputs(inner, old, new)
            for output in attribute.g.output:
                if output.name == old:
                    output.name = new


def _inner_inputs(node: Any) -> list[str]:
    """Values of the outer graph that the subgraphs of a node take (and names of their own, which do no harm)."""
    graphs = [attribute.g for attribute in node.attribute if attribute.HasField("g")]
    names = [name for graph in graphs for inner in graph.node for name in [*inner.input, *_inner_inputs(inner)]]
    return names + [output.name for graph in graphs for output in graph.output]


def _in_order(nodes: Sequence[Any], outputs: Sequence[str]) -> list[Any]:
    """The nodes that the outputs need, each after those whose values it takes."""
    makers = {name: node for node in nodes for name in node.output if name}
    ordered: list[Any] = []
    state: dict[int, int] = {}  # 1: its inputs are being ordered, 2: done
    stack = [makers[name] for name in reversed(outputs) if name in makers]
    while stack:
        node = stack[-1]
        if state.get(id(node)) == 2:
            stack.pop()
            continue
        needed = [makers[name] for name in [*node.input, *_inner_inputs(node)] if name in makers and makers[name] is not node]
        waiting = [each for each in needed if state.get(id(each)) != 2]
        if not waiting:
            ordered.append(node)
            state[id(node)] = 2
            stack.pop()
            continue
        if state.get(id(node)) == 1:
            raise ExportError(f"the rewritten graph has a cycle at {node.op_type} {node.name}; export with --rewrite False")
        state[id(node)] = 1
        stack.extend(waiting)
    return ordered


def _inferred_shapes(model: Any) -> dict[str, Shape]:
    import onnx

    try:
        graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception:  # a graph whose shapes cannot be inferred is not rewritten by shape, and stays correct
        graph = model.graph
    shapes = {}
    for value in [*graph.input, *graph.value_info, *graph.output]:
        if value.type.tensor_type.HasField("shape"):
            sides = value.type.tensor_type.shape.dim
            shapes[value.name] = tuple(side.dim_value if side.HasField("dim_value") else None for side in sides)
    return shapes
