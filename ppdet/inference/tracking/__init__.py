"""Identities and smooth motion over time."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "IdentityScore": "identity",
        "Jitter": "jitter",
        "PersonTracker": "tracker",
        "PoseSmoother": "smoothing",
        "StreamTracker": "stream",
        "TrackerSettings": "settings",
        "identity_score": "identity",
        "smooth_recorded": "recorded",
    },
)
