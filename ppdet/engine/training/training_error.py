"""Training that cannot go on."""

from __future__ import annotations

from ppdet.core.errors import PpdetError


class TrainingError(PpdetError):
    """Training stopped for a reason in the data or the settings, such as a loss that is not a number."""
