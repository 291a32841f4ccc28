"""PaddleDetection's name for the decoding of top-down heatmaps."""

from __future__ import annotations

from ppdet.core.config.registry import register


@register
class HRNetPostProcess:
    """Accepted so that PaddleDetection's YAML loads; the codec decodes, in every command alike.

    Args:
        use_dark: read by the codec when it is made from PaddleDetection's vocabulary.
    """

    def __init__(self, use_dark: bool = True) -> None:
        self.use_dark = use_dark
