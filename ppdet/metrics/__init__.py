"""Scores of predictions against labelled data: NumPy and pycocotools only, no Paddle.

Every metric class offers the same five things:

    update(batch)    collect one batch of predictions (dict of numpy arrays, image pixels)
    merge(states)    take in what other processes collected (`state()` of their metric)
    compute()        dict of named numbers; `main` is the name of the one that selects the best model
    save(path)       write the predictions as the field's JSON
    report()         text for people

The classes are loaded on first use.
"""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "COCOMetric": "coco_box",
        "KeyPointBottomUpCOCOEval": "bottom_up_keypoint",
        "KeyPointCrowdPoseEval": "crowdpose",
        "KeyPointTopDownCOCOEval": "coco_keypoint",
        "KeyPointTopDownCOCOWholeBadyHandEval": "hand_pck",
        "KeyPointTopDownMPIIEval": "mpii_pckh",
        "MOTMetric": "tracking.mot",
        "KeypointScores": "landmarks.keypoint_scores",
    },
)
