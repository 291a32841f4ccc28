"""ppdet-keypoint: human pose estimation on PaddlePaddle, and without it where a model is only run.

Importing this package is cheap; the pipeline (numpy, OpenCV, a runtime) is loaded on first use.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ppdet.inference.pipeline import PosePipeline

# ONNX Runtime 1.29 and later tells its makers which models are loaded, and keeps an id of the machine in the home folder, unless
# this is set when it is imported. Radiographs and people's videos are nobody else's business; a user's own value stays.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
__all__ = ["PosePipeline", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "PosePipeline":
        from ppdet.inference.pipeline import PosePipeline

        return PosePipeline
    raise AttributeError(f"module 'ppdet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
