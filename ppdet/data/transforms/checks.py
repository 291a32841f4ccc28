"""Checks sizes and alignment that a config repeats: PaddleDetection states them in several places, here the codec owns them."""

from __future__ import annotations

from functools import cache
from typing import Any, Optional, Sequence, Tuple

from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger

logger = get_logger(__name__)


@cache
def warn_once(message: str) -> None:
    """Log a warning the first time this message comes up in the process."""
    logger.warning(message)


def pair(value: Sequence[int], what: str) -> Tuple[int, int]:
    """[width, height] as two positive integers.

    Raises:
        ConfigError: anything else.
    """
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__") or len(value) != 2 or min(value) <= 0:
        raise ConfigError(f"{what} must be [width, height], two positive numbers; given {value!r}")
    return int(value[0]), int(value[1])


def require_same(owner: str, argument: str, given: Any, codec_value: Any) -> None:
    """Refuse a size that is not the codec's.

    Raises:
        ConfigError: they differ.
    """
    if given is not None and given != codec_value:
        raise ConfigError(
            f"{owner}: {argument} is {given}, but the codec has {codec_value}; make them agree, or leave {argument} out"
        )


def note_alignment(owner: str, use_udp: Optional[bool], alignment: str) -> None:
    """Warn once if an op asks for another crop alignment than the codec's, which is the one that is used."""
    if use_udp is not None and bool(use_udp) != (alignment == "udp"):
        warn_once(f"{owner} says use_udp: {bool(use_udp)}, the codec's crop is '{alignment}': the codec's is used everywhere")
