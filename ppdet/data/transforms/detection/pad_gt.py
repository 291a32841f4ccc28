"""Pads the boxes of a batch to one number."""

from __future__ import annotations

from typing import Any, Dict, Optional

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError


@register
class PadGT:
    """Accepted so that PaddleDetection's YAML loads: batches of boxes are always padded, with a mask (`collate`).

    Args:
        return_gt_mask: accepted.
        pad_img, minimum_gtnum, only_origin_box: of other recipes; only the defaults are supported.

    Raises:
        ConfigError: another recipe's settings.
    """

    def __init__(
        self,
        return_gt_mask: bool = True,
        pad_img: bool = False,
        minimum_gtnum: int = 0,
        only_origin_box: Optional[bool] = None,
    ) -> None:
        if pad_img or minimum_gtnum or only_origin_box:
            raise ConfigError("PadGT: pad_img, minimum_gtnum and only_origin_box are not supported; remove the keys")

    def apply_batch(self, batch: Dict[str, Any]) -> Dict[str, Any]:
        """The batch as it is."""
        return batch
