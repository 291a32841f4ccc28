"""Run exported models on images, videos and cameras: numpy, OpenCV and one runtime, no training code.

Names are loaded on first use, so that a command can show its help before anything heavy is imported.
"""
from __future__ import annotations

from importlib import import_module

_HOMES = {
    "BottomUpEstimator": "estimators.bottom_up",
    "BoxDetector": "estimators.detector",
    "Detections": "estimators.detections",
    "ModelCard": "model_card",
    "Keypoint": "person",
    "Person": "person",
    "PersonTracker": "tracking.tracker",
    "PosePipeline": "pipeline",
    "PoseResult": "results",
    "TopDownEstimator": "estimators.top_down",
    "TrackerSettings": "tracking.settings",
    "load_runtime": "runtimes",
    "process_video": "video.process",
    "save_results": "results",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    """Import the module that is the home of a public name."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
