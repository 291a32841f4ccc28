"""Transforms of whole images with boxes and identities, for training trackers."""

from __future__ import annotations

from ppdet.core.lazy_names import lazy_names

__getattr__, __all__ = lazy_names(
    __name__,
    {
        "Gt2FairMOTTarget": "gt2fairmot_target",
        "LetterBoxResize": "letter_box_resize",
        "MOTRandomAffine": "mot_random_affine",
        "RGBReverse": "rgb_reverse",
    },
)
