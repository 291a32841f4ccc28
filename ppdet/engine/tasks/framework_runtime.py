"""A Paddle layer with the interface of an engine for exported models.

Detectors and pose estimators of `ppdet.inference` take a `Runtime`. With this one they run weights in the same way as an
exported model, so prediction from weights and deployment share their code.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

import numpy as np
import paddle

from ppdet.inference.runtimes.base import Runtime


class FrameworkRuntime(Runtime):
    """Runs a layer eagerly, without gradients.

    Args:
        layer: an export wrapper (`ppdet.modeling.export`), which takes positional inputs and returns a tensor or a sequence of
            tensors.
        input_names: names of the positional inputs, in order.
    """

    engine = "framework"

    def __init__(self, layer: Any, input_names: Sequence[str]) -> None:
        layer.eval()
        self._layer = layer
        self.input_names = tuple(input_names)
        self.description = f"Paddle {paddle.__version__} eager, fp32, {paddle.device.get_device()}"

    def run(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Run the layer once; see `Runtime.run`."""
        self.check_feeds(feeds)
        tensors = [paddle.to_tensor(np.ascontiguousarray(feeds[name])) for name in self.input_names]
        with paddle.no_grad():
            outputs = self._layer(*tensors)
        if isinstance(outputs, paddle.Tensor):
            outputs = (outputs,)
        return [output.numpy() for output in outputs]
