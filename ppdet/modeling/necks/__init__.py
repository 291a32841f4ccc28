"""Feature maps in, feature maps of one width out."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "CSPPAN": "csp_pan",
        "CenterNetDLAFPN": "centernet_fpn",
        "LCPAN": "lc_pan",
        "PPYOLOPAN": "ppyolo_pan",
    },
)
