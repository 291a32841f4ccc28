"""What the one-stage detectors share."""

from __future__ import annotations

from ppdet.core.errors import ConfigError

MULTIPLE = 32
"""Input pixels per cell of the coarsest level that the necks upsample."""


def check_training_sides(detector: str, height: int, width: int) -> None:
    """Refuse images that the neck cannot merge its levels of.

    Raises:
        ConfigError: a side is not a multiple of 32.
    """
    if height % MULTIPLE or width % MULTIPLE:
        raise ConfigError(
            f"{detector}: images of {height}x{width} pixels cannot be trained on, both sides must be multiples of {MULTIPLE}; "
            "change target_size of BatchRandomResize (or Resize) in TrainReader"
        )
