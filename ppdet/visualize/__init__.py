"""Drawing of poses, boxes and contact sheets with OpenCV alone. Images are RGB uint8 throughout."""
from __future__ import annotations

from importlib import import_module

# A name must not be its module's name: once imported, the module would hide it.
_HOMES = {"BoxDrawer": "box_drawer", "PoseDrawer": "pose_drawer", "contact_sheet": "frame_tiles", "person_color": "palette"}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    """Import the module that is the home of a public name, on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
