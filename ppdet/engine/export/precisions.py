"""The precisions of an export."""

from __future__ import annotations

#: precision -> that of the file: bfloat16 is a choice at run time, which the report checks on the float32 file
PRECISIONS = {"fp32": "fp32", "fp16": "fp16", "bf16": "fp32", "int8": "int8"}
