"""Public names of `ppdet.inference.files` whose home is `ppdet.inference.formats`."""
from __future__ import annotations

from ppdet.inference.formats.json_list import JsonListWriter
from ppdet.inference.formats.json_results import JsonResultsWriter

__all__ = ["JsonListWriter", "JsonResultsWriter"]
