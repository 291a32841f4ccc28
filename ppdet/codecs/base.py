"""The contract of a codec.

Legend: N people, B batch, K keypoints, H W input pixels, h w heatmap cells.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Callable, Mapping, Sequence

import cv2
import numpy as np

from ppdet.core.content_schema import Rule, mapping, summary
from ppdet.core.errors import ConfigError, DataError
from ppdet.geometry.crop import BOX_PADDING, Crop, crop_for_boxes, fit_aspect
from ppdet.skeletons import Skeleton

if TYPE_CHECKING:
    from typing_extensions import Self


class Codec(ABC):
    """Owns the pixel alignment of crop, target, decoding and flip test, so that no two of them can disagree.

    Training, evaluation and deployment use the same codec; the exported model's card contains its ``to_dict``.
    """

    #: Kind of model that the codec serves; it names the task and the estimator. ``top_down``: one person per crop;
    #: ``bottom_up``: everyone in a whole image.
    kind: str = "top_down"
    input_wh: tuple[int, int]
    #: How a crop is aligned with the input: ``affine`` or ``udp``, see :mod:`ppdet.geometry.crop`.
    alignment: str
    #: size of the heatmaps in cells, of codecs that have some
    heatmap_wh: tuple[int, int]
    #: Other names of arguments, older ones or another toolkit's, which configs and cards may use.
    __renamed__: Mapping[str, str] = {}
    #: Names with which arguments are written into cards, where they differ: version 0.1 refuses names that it does not know.
    card_names: Mapping[str, str] = {}
    #: What `decode` takes, one array or a tuple of several: their names in the dict of the network and in the exported graph.
    output_names: tuple[str, ...] = ("heatmap",)
    #: What ``from_dict`` accepts.
    content_rule: Rule = staticmethod(mapping({}))

    def crop_for_boxes(self, boxes_xyxy: np.ndarray, padding: float = BOX_PADDING) -> Crop:
        """Upright crops around (N, 4) image boxes, padded and at the input's aspect."""
        return crop_for_boxes(boxes_xyxy, self.input_wh, self.alignment, padding)

    def crop_at(
        self, center_xy: np.ndarray, size_wh: np.ndarray, rotation: np.ndarray, mirrored: np.ndarray | None = None
    ) -> Crop:
        """Crops with given (N, 2) centres, (N, 2) padded sizes and (N,) rotations in degrees.

        Sizes of another aspect than the input's are enlarged to it, so that pixels stay square.
        """
        return Crop(center_xy, fit_aspect(size_wh, self.input_wh), rotation, self.input_wh, self.alignment, mirrored)

    def extract(self, image: np.ndarray, crop: Crop) -> np.ndarray:
        """Cut the crops out of one (H, W, C) image: (N, input h, input w, C), bilinear, black outside the image.

        The input size is the crop's; for top-down codecs that is the codec's.
        """
        out = np.empty((len(crop), crop.input_wh[1], crop.input_wh[0], *image.shape[2:]), image.dtype)
        for i, matrix in enumerate(crop.matrix):
            cv2.warpAffine(image, matrix, crop.input_wh, dst=out[i], flags=cv2.INTER_LINEAR)
        return out

    @abstractmethod
    def encode(self, xy_input: np.ndarray, visible: np.ndarray) -> tuple[Any, np.ndarray]:
        """Training targets of (N, K, 2) input pixels; returns targets and (N, K) weights (bottom-up: where tags are trained)."""

    @abstractmethod
    def decode(self, outputs: Any, crop: Crop) -> Any:
        """Network outputs of B crops to (B, K, 2) image pixels and (B, K) scores (bottom-up: candidates to people)."""

    @abstractmethod
    def merge_flipped(self, outputs: Any, outputs_of_mirrored: Any, skeleton: Skeleton) -> Any:
        """Merge the outputs of crops with those of the same crops mirrored left to right."""

    def flip_tested(self, run: Callable[[np.ndarray], Any], inputs: np.ndarray, skeleton: Skeleton) -> Any:
        """Outputs of a flip test: network inputs and their mirror images run as one batch, then `merge_flipped`.

        The only flip test there is: evaluation, prediction from weights and exported models call it.

        Args:
            run: the network; (2 B, 3, H, W) to an array or a tuple of arrays, each with 2 B rows.
            inputs: (B, 3, H, W) float32, normalised.
            skeleton: knows which keypoints change places.
        """
        both = run(np.concatenate([inputs, inputs[..., ::-1]]))
        if isinstance(both, np.ndarray):
            plain, mirrored = np.split(both, 2)
            return self.merge_flipped(plain, mirrored, skeleton)
        halves = [np.split(maps, 2) for maps in both]
        return self.merge_flipped(tuple(half[0] for half in halves), tuple(half[1] for half in halves), skeleton)

    @property
    def output_sizes(self) -> tuple[tuple[int, ...], ...]:
        """Sizes of the axes after batch and keypoints, for each of `output_names`; top-down codecs only."""
        width, height = self.heatmap_wh
        return ((height, width),)

    def outputs_of(self, arrays: Sequence[np.ndarray]) -> Any:
        """What `decode` takes, out of all outputs of an exported graph: in order, those with as many axes as expected.

        Raises:
            DataError: there are fewer.
        """
        found = list(arrays)
        picked = []
        for size in self.output_sizes:
            at = next((i for i, array in enumerate(found) if array.ndim == 2 + len(size)), None)
            if at is None:
                shapes = ", ".join(str(tuple(array.shape)) for array in arrays)
                pairs = zip(self.output_names, self.output_sizes)
                expected = ", ".join(f"{name} of {2 + len(each)} axes" for name, each in pairs)
                raise DataError(f"the network's outputs have the shapes {shapes}: expected {expected}")
            picked.append(found.pop(at))
        return picked[0] if len(picked) == 1 else tuple(picked)

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain mapping, ``name`` first, that rebuilds this codec."""

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Build from the mapping that ``to_dict`` returns; ``name`` may be left out.

        Raises:
            ConfigError: unknown or missing keys, or values of a wrong kind or range.
        """
        arguments = {key: value for key, value in content.items() if key != "name" and key not in cls.__renamed__}
        for old, new in cls.__renamed__.items():
            if old in content and arguments.setdefault(new, content[old]) != content[old]:
                raise ConfigError(f"codec {cls.__name__}: {old} is the older name of {new}, and the two differ; leave {old} out")
        known = inspect.signature(cls).parameters
        needed = [name for name, parameter in known.items() if parameter.default is parameter.empty]
        unknown = sorted(map(str, set(arguments) - set(known)))
        missing = [name for name in needed if name not in arguments]
        if unknown or missing:
            problem = f"unknown key {', '.join(unknown)}" if unknown else f"`{missing[0]}` is missing"
            raise ConfigError(f"codec {cls.__name__}: {problem}; known keys: {', '.join(sorted(known))}")
        wrong = summary(cls.content_rule(arguments, "codec"))
        if wrong:
            raise ConfigError(wrong)
        return cls(**arguments)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.to_dict().items() if k != 'name')})"
