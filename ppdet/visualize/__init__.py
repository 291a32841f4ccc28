"""Drawing of poses and contact sheets with OpenCV alone. Images are RGB uint8 throughout."""
from __future__ import annotations

__all__ = ["PoseDrawer", "contact_sheet", "person_color"]


def __getattr__(name: str) -> object:
    """Load the named part on first use, so that importing the package costs nothing."""
    if name == "PoseDrawer":
        from ppdet.visualize.pose_drawer import PoseDrawer

        return PoseDrawer
    if name == "contact_sheet":
        from ppdet.visualize.contact_sheet import contact_sheet

        return contact_sheet
    if name == "person_color":
        from ppdet.visualize.palette import person_color

        return person_color
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
