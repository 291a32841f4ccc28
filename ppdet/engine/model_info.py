"""Size and cost of a network: parameters, multiply-adds and activation memory per stage.

There are several ways to count the cost of a network, and papers seldom state theirs. Two are given here:

* *plain*: multiply-adds of convolutions, transposed convolutions and linear layers. A transposed convolution is counted at
  each of its input cells, a deformable one like an ordinary one, without its interpolation. Products of two activations
  (attention), norms and additions are not counted.
* *authors*: as Simple Baselines, HRNet and LPN print it under "FLOPs": a transposed convolution counts at each of its output
  cells, four times as much at stride 2, and a G is 2^30.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Tuple

import numpy as np
import paddle
from paddle import nn
from paddle.vision.ops import DeformConv2D

from ppdet.core.config.load import Config
from ppdet.core.errors import ConfigError
from ppdet.engine.assembly import Assembly

STATISTICS = ("._mean", "._variance")
GIBI = 2**30
OPENED = ("backbone", "neck")  # parts whose children are stages; every other part is one stage
_CONVOLUTIONS = (nn.Conv2D, nn.Conv2DTranspose, DeformConv2D)


@dataclass
class Cost:
    """Cost of a stage or a network for one image.

    Attributes:
        parameters: number of trained values; running statistics of norms are not counted.
        macs: multiply-adds, plain count.
        authors_macs: multiply-adds, authors' count.
        activations: number of output values of convolutions, norms and linear layers.
    """

    parameters: int = 0
    macs: int = 0
    authors_macs: int = 0
    activations: int = 0


@dataclass
class ModelInfo:
    """Costs of a network by stage, in order of execution, for one image of (width, height) `input_wh`."""

    input_wh: Tuple[int, int]
    stages: Dict[str, Cost]

    @property
    def total(self) -> Cost:
        """The sum of the stages."""
        parts = list(self.stages.values())
        return Cost(*(sum(getattr(part, name) for part in parts) for name in Cost.__dataclass_fields__))

    def to_text(self, stages: bool = False) -> str:
        """A few lines of text, and with `stages` a Markdown table."""
        total, (width, height) = self.total, self.input_wh
        lines = [
            f"input       {height}x{width} (height x width), one image",
            f"parameters  {total.parameters:,} ({total.parameters * 4 / 2**20:.1f} MiB in float32)",
            f"MACs        {total.macs / 1e9:.4f} G = 10^9 multiply-adds of convolutions, transposed convolutions, linear layers",
            f"            {total.authors_macs / GIBI:.4f} G as Simple Baselines, HRNet and LPN print FLOPs: "
            "transposed convolutions at output cells, G = 2^30",
            f"activations {total.activations * 4 / 2**20:.1f} MiB in float32 given by convolutions, norms and linear layers, "
            "about what training keeps per image",
        ]
        return "\n".join(lines + (["", *self._table()] if stages else []))

    def _table(self) -> List[str]:
        rows = ["| stage | parameters | MACs (M) | activations (MiB) |", "|---|---|---|---|"]
        for name, cost in self.stages.items():
            rows.append(f"| {name} | {cost.parameters:,} | {cost.macs / 1e6:.1f} | {cost.activations * 4 / 2**20:.2f} |")
        return rows


def model_info(model: nn.Layer, input_wh: Tuple[int, int]) -> ModelInfo:
    """Run the network once on a black image, and count.

    Args:
        model: run in evaluation mode; its previous mode is restored.
        input_wh: pixels of the image.

    Raises:
        ConfigError: the network cannot take images of this size.
    """
    stages: Dict[str, Cost] = {}
    hooks = []
    for name, layer in model.named_sublayers():
        if not any(True for _ in layer.children()):
            hooks.append(layer.register_forward_post_hook(_counter(stages, stage_of(name))))
    was_training = model.training
    model.eval()
    try:
        with paddle.no_grad():
            model(paddle.zeros([1, 3, input_wh[1], input_wh[0]]))
    except ValueError as error:
        raise ConfigError(f"{type(model).__name__} cannot take images of {input_wh[1]}x{input_wh[0]}: {error}") from error
    finally:
        for hook in hooks:
            hook.remove()
        if was_training:
            model.train()
    for name, parameter in model.named_parameters():
        if not name.endswith(STATISTICS):
            stages.setdefault(stage_of(name.rpartition(".")[0]), Cost()).parameters += int(parameter.size)
    return ModelInfo(input_wh, stages)


def stage_of(layer_name: str) -> str:
    """The stage that a layer belongs to: "backbone.layer1" for "backbone.layer1.0.conv1", "head" for "head.final_layer"."""
    parts = layer_name.split(".")
    return ".".join(parts[:2] if parts[0] in OPENED else parts[:1])


def info_of_config(config: Config) -> ModelInfo:
    """Cost of a config's model at the config's input size, as `tools/model_info.py` prints it.

    Raises:
        ConfigError: the config is wrong, or states no input size.
    """
    assembly = Assembly(config)
    return model_info(assembly.model(), assembly.task.input_wh(assembly))


def _counter(stages: Dict[str, Cost], stage: str) -> Any:
    def count(layer: nn.Layer, inputs: Any, output: Any) -> None:
        cost = stages.setdefault(stage, Cost())
        if not isinstance(output, paddle.Tensor) or not layer.parameters(include_sublayers=False):
            return
        cost.activations += int(output.size)
        plain, authors = _macs(layer, inputs[0], output)
        cost.macs += plain
        cost.authors_macs += authors

    return count


def _macs(layer: nn.Layer, given: paddle.Tensor, output: paddle.Tensor) -> Tuple[int, int]:
    """Multiply-adds of one call: plain and authors' count."""
    if isinstance(layer, _CONVOLUTIONS):
        size = int(layer.weight.size)
        out = size * int(np.prod(output.shape[2:])) * int(output.shape[0])
        if isinstance(layer, nn.Conv2DTranspose):
            return size * int(np.prod(given.shape[2:])) * given.shape[0], out
        return out, out
    if isinstance(layer, nn.Linear):
        out = int(layer.weight.size) * int(np.prod(output.shape[:-1]))
        return out, out
    return 0, 0
