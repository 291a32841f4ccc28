"""Small ONNX networks that are written node by node, and how they are run."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

RNG = np.random.default_rng(0)


class Net:
    """A small ONNX network that is written node by node."""

    def __init__(self, *shape: Any) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.shape = shape or ("batch", 8, 6, 4)

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(onnx.numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def node(self, kind: str, *inputs: str, outputs: int = 0, **attributes: Any) -> Any:
        names = [f"v{len(self.nodes)}_{i}" for i in range(max(outputs, 1))]
        self.nodes.append(onnx.helper.make_node(kind, list(inputs), names, **attributes))
        return names if outputs else names[0]

    def conv(self, name: str, given: int, made: int, kernel: int = 1, **attributes: Any) -> str:
        weights = self.constant(RNG.normal(0, 0.4, (made, given // attributes.get("group", 1), kernel, kernel)))
        return self.node("Conv", name, weights, pads=[kernel // 2] * 4, **attributes)

    def shuffle(self, name: str, channels: int, groups: int = 2) -> str:
        height, width = self.shape[2:]
        five = self.node("Reshape", name, self.constant([-1, groups, channels // groups, height, width], np.int64))
        turned = self.node("Transpose", five, perm=[0, 2, 1, 3, 4])
        return self.node("Reshape", turned, self.constant([-1, channels, height, width], np.int64))

    def resize(self, name: str, factor: float, mode: str = "nearest") -> str:
        scales = self.constant([1, 1, factor, factor])
        return self.node("Resize", name, "", scales, mode=mode, coordinate_transformation_mode="asymmetric", nearest_mode="floor")

    def model(self, *outputs: str) -> Any:
        info = onnx.helper.make_tensor_value_info
        values = [info(name, onnx.TensorProto.FLOAT, None) for name in outputs]
        graph = onnx.helper.make_graph(
            self.nodes, "net", [info("x", onnx.TensorProto.FLOAT, self.shape)], values, self.weights
        )
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
        return onnx.shape_inference.infer_shapes(model, data_prop=True)  # fills in the shapes of the outputs


def outputs_of(model: Any, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Outputs of a model without any optimisation by the engine."""
    import onnxruntime as ort

    settings = ort.SessionOptions()
    settings.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    settings.log_severity_level = 3
    return ort.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"]).run(None, feeds)
