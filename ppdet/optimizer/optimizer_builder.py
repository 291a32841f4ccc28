"""The `OptimizerBuilder` section of a config."""

from __future__ import annotations

import inspect
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

import paddle

from ppdet.core.config.registry import register
from ppdet.core.content_schema import either, list_of, mapping, optional, summary, text
from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger
from ppdet.optimizer.param_groups import NamedParameter, groups_by_depth, groups_by_pattern

_log = get_logger(__name__)
_TYPES = (
    "SGD",
    "Momentum",
    "Adam",
    "AdamW",
    "AdamWDL",
    "RMSProp",
    "Adagrad",
    "Adadelta",
    "Adamax",
    "Lamb",
    "NAdam",
    "RAdam",
)
LAYERWISE_RULE = "layerwise_lr_decay"  # the name in PaddleDetection's YAML of ViTPose
_DECOUPLED = ("AdamW", "AdamWDL")  # optimizers with decoupled weight decay
_GROUPS = list_of(mapping({"params": either(text(), list_of(text()))}, required=("params",)))
_LAYERWISE = ("layer_decay", "num_layers", "skip_decay_names", "filter_bias_and_bn", "set_param_lr_func")


@register
class OptimizerBuilder:
    """Creates a Paddle optimizer for a model.

    Args:
        clip_grad_by_norm: limit of the global gradient norm.
        clip_grad_by_value: limit of the absolute value of each gradient element.
        regularizer: {type: L1 or L2, factor}, None, or "default": L2 of 1e-4 for all optimizers but AdamW, as in
            PaddleDetection. For AdamW, whose weight decay is decoupled from the gradient, an L2 factor becomes its
            `weight_decay` (PaddleDetection silently drops it).
        optimizer: {type, ...}: `SGD`, `Momentum`, `Adam`, `AdamW`, `AdamWDL` (AdamW with layer-wise rates, for
            transformers) or another class of `paddle.optimizer`, and its arguments. `param_groups`: list of {params:
            [name patterns], learning_rate: factor, weight_decay}.

    Raises:
        ConfigError: unknown type or argument, both kinds of clipping, or an invalid regularizer.
    """

    def __init__(
        self,
        clip_grad_by_norm: Optional[float] = None,
        clip_grad_by_value: Optional[float] = None,
        regularizer: Union[Mapping[str, Any], str, bool, None] = "default",
        optimizer: Optional[Mapping[str, Any]] = None,
    ) -> None:
        if not isinstance(optimizer, (Mapping, type(None))):
            raise ConfigError(f"OptimizerBuilder: optimizer is {optimizer!r}; expected a mapping, such as {{type: Adam}}")
        settings = dict(optimizer if optimizer is not None else {"type": "Momentum", "momentum": 0.9})
        self.kind = str(settings.pop("type", None))
        if self.kind not in _TYPES:
            raise ConfigError(f"OptimizerBuilder: optimizer.type is {self.kind}; expected one of {', '.join(_TYPES)}")
        self.layerwise = {key: settings.pop(key) for key in _LAYERWISE if self.kind == "AdamWDL" and key in settings}
        if self.kind == "AdamWDL":
            _check_layerwise(self.layerwise.pop("set_param_lr_func", LAYERWISE_RULE))
            _unfold_betas(settings)
        self.param_groups = settings.pop("param_groups", None)
        self.settings = settings
        self.clip = _clip(clip_grad_by_norm, clip_grad_by_value)
        self.regularizer = _parse_regularizer(regularizer, self.kind)
        self.paddle_class = getattr(paddle.optimizer, "AdamW" if self.kind == "AdamWDL" else self.kind)
        self._check_settings()

    def __call__(self, learning_rate: Any, model: paddle.nn.Layer) -> paddle.optimizer.Optimizer:
        """Create the optimizer for the trainable parameters of `model`.

        Args:
            learning_rate: a number or a Paddle scheduler.
            model: the network; frozen parameters (stop_gradient) are skipped.

        Raises:
            ConfigError: all parameters are frozen, or an argument of the optimizer is out of range.
        """
        named = [(name, p) for name, p in model.named_parameters() if not p.stop_gradient]
        if not named:
            raise ConfigError("OptimizerBuilder: the model has no trainable parameter, everything is frozen")
        settings = dict(self.settings)
        self._apply_regularizer(settings)
        parameters = self._parameters(named, settings)
        try:
            return self.paddle_class(learning_rate=learning_rate, parameters=parameters, grad_clip=self.clip, **settings)
        except (TypeError, ValueError) as error:  # Paddle checks the ranges, such as those of beta1 and epsilon
            reason = str(error).rstrip(".")
            raise ConfigError(f"OptimizerBuilder: {self.kind} refuses {self.settings}: {reason}; change it") from error

    def _parameters(self, named: List[NamedParameter], settings: Dict[str, Any]) -> List[Any]:
        if self.kind == "AdamWDL":
            options = {"layer_decay": 0.75, "num_layers": 12, **self.layerwise}
            return groups_by_depth(named, weight_decay=float(settings.get("weight_decay", 0.01)), **options)
        if self.param_groups:
            return groups_by_pattern(named, self.param_groups)
        return [parameter for _, parameter in named]

    def _apply_regularizer(self, settings: Dict[str, Any]) -> None:
        if self.regularizer is None:
            return
        kind, factor = self.regularizer
        if "weight_decay" in settings:
            _log.warning(
                "OptimizerBuilder: optimizer.weight_decay %s and regularizer %s %s are given; weight_decay is used",
                settings["weight_decay"],
                kind,
                factor,
            )
        elif self.kind in _DECOUPLED:
            settings["weight_decay"] = factor
        elif factor != 0.0:  # a factor of 0 would cost two operations per parameter without effect
            decay = {"L1": paddle.regularizer.L1Decay, "L2": paddle.regularizer.L2Decay}[kind]
            settings["weight_decay"] = decay(factor)

    def _check_settings(self) -> None:
        reserved = {"self", "learning_rate", "parameters", "grad_clip", "name"}
        known = [name for name in inspect.signature(self.paddle_class.__init__).parameters if name not in reserved]
        unknown = sorted(set(self.settings) - set(known))
        if unknown:
            extra = list(_LAYERWISE) if self.kind == "AdamWDL" else []
            raise ConfigError(
                f"OptimizerBuilder: {self.kind} has no argument {', '.join(unknown)}; "
                f"it takes {', '.join(known + extra + ['param_groups'])}"
            )
        for key, value in {**self.settings, **self.layerwise}.items():
            if isinstance(value, str):  # no optimizer takes a text
                raise ConfigError(f"OptimizerBuilder: optimizer.{key} must be a number, got {value!r} (YAML: 1.0e-8)")
        wrong = summary(optional(_GROUPS)(self.param_groups, "OptimizerBuilder.optimizer.param_groups"))
        if wrong:
            raise ConfigError(wrong)


def _check_layerwise(rule: Any) -> None:
    if rule != LAYERWISE_RULE:
        raise ConfigError(f"OptimizerBuilder: set_param_lr_func {rule!r} is not here; use {LAYERWISE_RULE!r} or leave it out")


def _unfold_betas(settings: Dict[str, Any]) -> None:
    """Turn `betas: [a, b]` of PaddleDetection's AdamWDL into Paddle's beta1 and beta2."""
    if "betas" not in settings:
        return
    betas = settings.pop("betas")
    if not isinstance(betas, (list, tuple)) or len(betas) != 2 or {"beta1", "beta2"} & set(settings):
        raise ConfigError(f"OptimizerBuilder: betas is [beta1, beta2], and excludes beta1 and beta2; got {betas!r}")
    settings["beta1"], settings["beta2"] = betas


def _clip(by_norm: Optional[float], by_value: Optional[float]) -> Any:
    if by_norm is not None and by_value is not None:
        raise ConfigError("OptimizerBuilder: give clip_grad_by_norm or clip_grad_by_value, not both")
    for name, bound in (("clip_grad_by_norm", by_norm), ("clip_grad_by_value", by_value)):
        if bound is not None and (isinstance(bound, str) or bound <= 0):
            raise ConfigError(f"OptimizerBuilder: {name} must be a positive number, got {bound!r}")
    if by_norm is not None:
        return paddle.nn.ClipGradByGlobalNorm(clip_norm=float(by_norm))
    if by_value is not None:
        return paddle.nn.ClipGradByValue(max=float(by_value))
    return None


def _parse_regularizer(regularizer: Any, kind: str) -> Optional[Tuple[str, float]]:
    if regularizer == "default":
        return None if kind in _DECOUPLED else ("L2", 1e-4)
    if regularizer in (None, False, "None", "none"):
        return None
    if (
        not isinstance(regularizer, Mapping)
        or regularizer.get("type") not in ("L1", "L2")
        or set(regularizer) - {"type", "factor"}
    ):
        raise ConfigError(
            f"OptimizerBuilder: regularizer is {{type: L1 or L2, factor: number}} or None, got {regularizer!r}"
        )
    factor = regularizer.get("factor", 1e-4)
    if isinstance(factor, str) or factor < 0:
        raise ConfigError(f"OptimizerBuilder: regularizer.factor must be a number >= 0, got {factor!r} (YAML: 1.0e-4)")
    if regularizer["type"] == "L1" and kind in _DECOUPLED:
        raise ConfigError(
            f"OptimizerBuilder: {kind} decays weights by L2 only; use {{type: L2}} or optimizer.weight_decay"
        )
    return str(regularizer["type"]), float(factor)
