"""Why a score is what it is: kinds of errors, calibration of confidences, and the detector's share of the errors."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "Analysis": "analysis",
        "analyze_results": "analysis",
        "classify_errors": "error_kinds",
        "fit_calibration": "calibration",
    },
)
