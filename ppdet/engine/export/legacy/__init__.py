"""Writes an ONNX graph as a Paddle 2 program, which Paddle Lite and older tools read."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(__name__, {"write_program": "writer", "ProgramWriter": "program"})
