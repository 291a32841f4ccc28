"""ONNX models of other toolkits: what they take and give, recognised from the file or stated in a card of a few lines."""
from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "LAYOUTS": "layouts",
        "OnnxModelCard": "model",
        "OnnxSettings": "settings",
        "load_card": "loading",
    },
)
