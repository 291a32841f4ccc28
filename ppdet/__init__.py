"""ppdet-keypoint: human pose estimation on PaddlePaddle, and without it where a model is only run.

Importing this package is cheap; the pipeline (numpy, OpenCV, a runtime) is loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ppdet.inference.pipeline import PosePipeline

__version__ = "0.1.0"
__all__ = ["PosePipeline", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "PosePipeline":
        from ppdet.inference.pipeline import PosePipeline

        return PosePipeline
    raise AttributeError(f"module 'ppdet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
