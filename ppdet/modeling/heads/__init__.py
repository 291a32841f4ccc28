"""Feature maps to raw predictions."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "CenterNetHead": "centernet_head",
        "FairMOTEmbeddingHead": "fairmot_embedding_head",
        "HrHRNetHead": "hrhrnet_head",
        "MultiClassNMS": "multiclass_nms",
        "PicoFeat": "pico_feat",
        "PicoHead": "pico_head",
        "PicoHeadV2": "pico_head_v2",
        "PixelShuffleHead": "pixel_shuffle_head",
        "SimCCHead": "simcc_head",
        "TopdownHeatmapSimpleHead": "topdown_simple_head",
        "YOLOv3Head": "yolo_head",
    },
)
