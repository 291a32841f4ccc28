"""Learning-rate curves, optimizers and weight averaging, under PaddleDetection's YAML names.

`LearningRate` and `OptimizerBuilder` are what a config's sections of the same name build. The classes are loaded on first use, so
that reading a config does not load Paddle.
"""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "CurveScheduler": "curve",
        "LearningRate": "learning_rate",
        "LearningRateCurve": "curve",
        "OptimizerBuilder": "optimizer_builder",
        "WeightAverage": "ema",
    },
)
