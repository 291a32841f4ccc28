"""Takes the person's crop. Legend: H W source pixels, h w input pixels."""

from __future__ import annotations

from typing import Any, Optional, Sequence

import numpy as np

from ppdet.codecs.heatmap import HeatmapCodec
from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError
from ppdet.data.samples.person import PersonSample
from ppdet.data.transforms.checks import note_alignment, pair, require_same
from ppdet.data.transforms.operations import apply_cutouts
from ppdet.geometry.crop import fit_aspect


@register
class TopDownAffine:
    """Warps the sample's rectangle (centre, size, rotation, mirrored) to the network input and its keypoints with it.

    Afterwards `image` is the (h, w, 3) crop, black outside the source, and `xy_input` holds all keypoints.

    Args:
        trainsize: network input [width, height]; default the codec's.
        use_udp: alignment when there is no codec. With a codec, its own is used, and a warning says so if they differ.
        codec: shared with targets, model and evaluation.

    Raises:
        ConfigError: `trainsize` is not the codec's, or neither is given.
    """

    __shared__ = ["codec"]

    def __init__(self, trainsize: Optional[Sequence[int]] = None, use_udp: Optional[bool] = None, codec: Any = None) -> None:
        name = type(self).__name__
        size = None if trainsize is None else pair(trainsize, f"{name}.trainsize")
        if codec is None:
            if size is None:
                raise ConfigError(f"{name} needs trainsize: [width, height], or a codec")
            codec = HeatmapCodec(input_wh=size, alignment="udp" if use_udp else "affine")
        require_same(name, "trainsize", size, tuple(codec.input_wh))
        note_alignment(name, use_udp, codec.alignment)
        self.codec = codec

    def __call__(self, sample: PersonSample, rng: np.random.Generator) -> PersonSample:
        assert sample.image is not None, "TopDownAffine needs the image: put Decode before it"
        crop = self.codec.crop_at(
            sample.center_xy[None], sample.size_wh[None], np.array([sample.rotation]), np.array([sample.mirrored])
        )
        sample.image = self.codec.extract(sample.image, crop)[0]
        sample.xy_input = crop.to_input(sample.xy_image[None])[0]
        return apply_cutouts(sample)


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
