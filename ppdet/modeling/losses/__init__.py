"""Losses: `loss(outputs, batch) -> {"loss": ...}`."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "AELoss": "ae_loss",
        "CTFocalLoss": "ctfocal_loss",
        "FairMOTLoss": "fairmot_loss",
        "HeatMapLoss": "heatmap_loss",
        "HeatMapSWAHRLoss": "heatmap_swahr_loss",
        "HrHRNetLoss": "hrhrnet_loss",
        "KLDiscretLoss": "kl_discret_loss",
        "KeyPointMSELoss": "keypoint_mse",
        "KeyPointOHKMMSELoss": "keypoint_mse",
    },
)
