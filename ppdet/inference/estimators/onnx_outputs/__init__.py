"""What the outputs of ONNX models of other toolkits mean: one function per layout."""
from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(__name__, {"Candidates": "candidates", "Outputs": "candidates", "decode_outputs": "table"})
