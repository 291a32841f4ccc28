"""PaddleDetection states sizes of bottom-up training in four transforms; here the codec owns them and those are checked."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from ppdet.codecs.associative_embedding import AssociativeEmbeddingCodec
from ppdet.core.errors import ConfigError
from ppdet.data.transforms.checks import pair, require_same

Size = Union[int, Sequence[int]]
Wh = Tuple[int, int]
AUTHORS_INPUT, AUTHORS_STRIDES = 512, (4, 2)


def bottom_up_codec(
    owner: str,
    codec: Any,
    trainsize: Optional[Size] = None,
    hmsize: Optional[Union[Size, Sequence[Size]]] = None,
    **others: Any,
) -> Any:
    """The codec a transform works with, after a look at what the config says beside it.

    Args:
        owner: the transform's name, for messages.
        codec: the shared one; None makes one of the sizes given, else of the authors' 512.
        trainsize: network input, a number for a square or [width, height].
        hmsize: sizes of the heatmaps, coarse first; each a number or [width, height].
        others: further values with the codec's names for them; None is not looked at.

    Raises:
        ConfigError: a value is not the codec's, or the codec is not one of bottom-up models.
    """
    size = None if trainsize is None else _square(trainsize, f"{owner}.trainsize")
    maps = None if hmsize is None else tuple(_square(each, f"{owner}.hmsize") for each in _listed(hmsize))
    if codec is None:
        codec = _of_sizes(size, maps, {name: value for name, value in others.items() if value is not None})
    if getattr(codec, "kind", None) != "bottom_up":
        raise ConfigError(
            f"{owner} belongs to bottom-up models, but the codec is a {type(codec).__name__}; use AssociativeEmbeddingCodec"
        )
    require_same(owner, "trainsize", size, tuple(codec.input_wh))
    require_same(owner, "hmsize", maps, tuple(codec.heatmap_whs))
    for name, value in others.items():
        require_same(owner, name, value, getattr(codec, name))
    return codec


def require_joints(owner: str, num_joints: Optional[int], skeleton: Any) -> None:
    """Refuse another number of keypoints than the skeleton's.

    Raises:
        ConfigError: they differ.
    """
    if num_joints is not None and skeleton is not None and num_joints != skeleton.num_keypoints:
        raise ConfigError(
            f"{owner}: num_joints is {num_joints}, but skeleton {skeleton.name!r} has {skeleton.num_keypoints} keypoints; "
            "make them agree, or leave num_joints out"
        )


def require_input(owner: str, codec: Any, image: np.ndarray) -> None:
    """Refuse an image (..., h, w, 3) of another size than the codec's targets are for.

    Raises:
        ConfigError: RandomAffine and this transform have been built with different sizes.
    """
    height, width = image.shape[-3:-1]
    if (width, height) != tuple(codec.input_wh):
        raise ConfigError(
            f"{owner} comes after RandomAffine, with the same codec: the image is {width}x{height}, the codec's input is "
            f"{codec.input_wh[0]}x{codec.input_wh[1]}"
        )


def _of_sizes(size: Optional[Wh], maps: Optional[Tuple[Wh, ...]], others: Mapping[str, Any]) -> AssociativeEmbeddingCodec:
    if maps is None:
        return AssociativeEmbeddingCodec(input_wh=size or (AUTHORS_INPUT, AUTHORS_INPUT), **others)
    coarse = AUTHORS_STRIDES[0]
    input_wh = size or (coarse * maps[0][0], coarse * maps[0][1])
    return AssociativeEmbeddingCodec(input_wh=input_wh, strides=[input_wh[0] // wh[0] for wh in maps], **others)


def _listed(value: Any) -> List[Any]:
    return [value] if isinstance(value, int) else list(value)


def _square(value: Size, what: str) -> Tuple[int, int]:
    return pair([value, value] if isinstance(value, int) else value, what)
