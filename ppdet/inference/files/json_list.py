"""The name by which commands import the writer of JSON lists; its home is `ppdet.inference.formats`."""
from __future__ import annotations

from ppdet.inference.formats.json_list import JsonListWriter

__all__ = ["JsonListWriter"]
