"""Write annotations in the files of labelling tools; `ppdet.data.formats` reads them back."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(__name__, {"FORMATS": "writing", "write_annotations": "writing"})
