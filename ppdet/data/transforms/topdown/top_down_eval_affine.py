"""The crop of an image that already shows one person."""

from __future__ import annotations

import numpy as np

from ppdet.core.config.registry import register
from ppdet.data.samples.person import PersonSample
from ppdet.data.transforms.topdown.top_down_affine import TopDownAffine
from ppdet.geometry.crop import fit_aspect


@register
class TopDownEvalAffine(TopDownAffine):
    """Shows the whole image at the input's aspect: nothing is cut off, black bars fill the rest.

    In a `TestReader` it describes the preprocessing of an exported model. PaddleDetection scales by the width alone
    and loses head and feet of tall images; that is not repeated here.
    """

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        assert sample.image is not None, "TopDownEvalAffine needs the image: put Decode before it"
        height, width = sample.image.shape[:2]
        sample.center_xy = np.array([(width - 1) / 2, (height - 1) / 2])
        sample.size_wh = fit_aspect(np.array([[width, height]], np.float64), self.codec.input_wh)[0]
        return super().__call__(sample, rng)
