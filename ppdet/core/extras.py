"""How to install an extra of the package, for messages."""

from __future__ import annotations


def install_extra(name: str) -> str:
    """The command. The package is on no index, so that pip finds its name in a clone only.

    Args:
        name: of the extra, as in pyproject.toml.
    """
    return f"pip install '.[{name}]' in a clone of ppdet-keypoint"
