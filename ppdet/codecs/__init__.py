"""Keypoints to network space and back: one object for crop, target, decoding and flip test, see :class:`HeatmapCodec`."""

from ppdet.codecs.associative_embedding import AssociativeEmbeddingCodec
from ppdet.codecs.base import Codec
from ppdet.codecs.heatmap import HeatmapCodec
from ppdet.codecs.legacy import codec_from_config
from ppdet.codecs.simcc import SimCCCodec

__all__ = ["AssociativeEmbeddingCodec", "Codec", "HeatmapCodec", "SimCCCodec", "codec_from_config"]
