"""The names by which commands import JSON of poses; their home is `ppdet.inference.formats`."""
from __future__ import annotations

from ppdet.inference.formats.json_results import (
    LAYOUTS,
    JsonResultsWriter,
    named_record,
    paddledet_record,
    tracked_record,
)

__all__ = ["LAYOUTS", "JsonResultsWriter", "named_record", "paddledet_record", "tracked_record"]
