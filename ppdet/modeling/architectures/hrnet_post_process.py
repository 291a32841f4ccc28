"""PaddleDetection's name for the decoding of top-down heatmaps."""

from __future__ import annotations

from ppdet.core.config.registry import register


@register
class HRNetPostProcess:
    """Accepted for PaddleDetection's YAML; the codec does the decoding, in all commands.

    Args:
        use_dark: read by the codec of configs in PaddleDetection's spelling.
    """

    def __init__(self, use_dark: bool = True) -> None:
        self.use_dark = use_dark
