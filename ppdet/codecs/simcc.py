"""The SimCC codec: one classification of the x axis and one of the y axis per keypoint.

Li et al., "SimCC: a simple coordinate classification perspective for human pose estimation", ECCV 2022, with the Gaussian label
smoothing of RTMPose (Jiang et al., arXiv:2303.07399, sec. 3.1).

Legend: N people, B batch, K keypoints; ``uv`` are bins, ``xy_input`` input pixels, ``uv = xy_input * split_ratio``.
"""

from __future__ import annotations

from typing import Any, Optional, Sequence, Union

import numpy as np

from ppdet.codecs.axis_peaks import find_axis_peaks, refine_gaussian
from ppdet.codecs.base import Codec
from ppdet.codecs.gaussian import gaussian_profile, reaches_map
from ppdet.core.config.registry import register
from ppdet.core.content_schema import either, list_of, mapping, number, one_of, optional, switch, whole
from ppdet.core.errors import ConfigError, DataError
from ppdet.geometry.crop import ALIGNMENTS, Crop
from ppdet.skeletons import Skeleton

MAX_SIDE = 8192
MAX_SPLIT_RATIO = 16
TARGETS = ("rounded", "subpixel")
DECODERS = ("argmax", "subpixel")
#: limits of sigma in bins; a narrower Gaussian would be a single bin
LEAST_SIGMA, MOST_SIGMA = 1, 1000


@register
class SimCCCodec(Codec):
    """Crop, encode, decode and flip for networks that classify each axis into bins.

    MMPose's `SimCCLabel` names are accepted as well: ``input_size`` (width, height) and ``simcc_split_ratio``; its
    ``use_dark: false`` is ``decoder: argmax`` here, and its targets are ``target: rounded``.

    Args:
        input_wh: network input (width, height).
        split_ratio: bins per input pixel; an axis of W pixels has round(W * split_ratio) bins.
        sigma: of the target Gaussian, in bins: one number, or one per axis (x, y). Default sqrt(side / 8), which is RTMPose's
            (4.9, 5.66) at 192x256 and (6, 6.93) at 288x384.
        target: ``subpixel`` centres the Gaussian on the keypoint itself, ``rounded`` on the nearest bin, as published.
        normalize: scale the target to the sum 1 instead of the peak 1.
        alignment: of the crop, ``affine`` or ``udp``, see :mod:`ppdet.geometry.crop`.
        decoder: ``argmax`` is the highest bin, as published; ``subpixel`` fits the Gaussian's centre to three bins about it,
            :func:`ppdet.codecs.axis_peaks.refine_gaussian`.
        flip_shift: bins by which the mirrored crop's x response, mirrored back, is moved to the left before averaging. Default:
            what the grid requires, split_ratio - 1. MMPose moves it by 0, which costs a quarter of a pixel at its ratio of 2.

    Round trips (tests): ``subpixel`` targets decoded with ``subpixel`` err by less than a hundredth of a bin, others by at most
    half a bin per axis.

    Raises:
        ConfigError: a value is not one of those listed, or out of range.
    """

    output_names = ("simcc_x", "simcc_y")
    __renamed__ = {"input_size": "input_wh", "simcc_split_ratio": "split_ratio"}
    content_rule = staticmethod(
        mapping(
            {
                "input_wh": list_of(whole(2, MAX_SIDE), length=2),
                "split_ratio": number(1, MAX_SPLIT_RATIO),
                "sigma": optional(either(list_of(number(LEAST_SIGMA, MOST_SIGMA), length=2), number(LEAST_SIGMA, MOST_SIGMA))),
                "target": one_of(*TARGETS),
                "normalize": switch(),
                "alignment": one_of(*ALIGNMENTS),
                "decoder": one_of(*DECODERS),
                "flip_shift": optional(number(0, MAX_SPLIT_RATIO)),
            }
        )
    )

    def __init__(
        self,
        input_wh: Sequence[int],
        split_ratio: float = 2.0,
        sigma: Optional[Union[float, Sequence[float]]] = None,
        target: str = "subpixel",
        normalize: bool = False,
        alignment: str = "affine",
        decoder: str = "subpixel",
        flip_shift: Optional[float] = None,
    ) -> None:
        given = {"input_wh": input_wh, "split_ratio": split_ratio, "sigma": sigma, "target": target, "normalize": normalize,
                 "alignment": alignment, "decoder": decoder, "flip_shift": flip_shift}  # fmt: skip
        problem = next(iter(self.content_rule(_plain(given), "codec")), None)
        if problem is not None:
            raise ConfigError(problem)
        self.input_wh = (int(input_wh[0]), int(input_wh[1]))
        self.split_ratio = float(split_ratio)
        self.bins = (round(self.input_wh[0] * self.split_ratio), round(self.input_wh[1] * self.split_ratio))
        self.sigma = _per_axis(sigma, self.input_wh)
        self.target, self.alignment, self.decoder = target, alignment, decoder
        self.normalize = bool(normalize)
        self.flip_shift = None if flip_shift is None else float(flip_shift)

    @property
    def output_sizes(self) -> tuple[tuple[int, ...], ...]:
        """Bins of x and of y."""
        return (self.bins[0],), (self.bins[1],)

    # ---------------------------------------------------------------- encode

    def encode(self, xy_input: np.ndarray, visible: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
        """Target vectors and weights.

        Args:
            xy_input: (N, K, 2) input pixels.
            visible: (N, K), greater than 0 for labelled keypoints.

        Returns:
            targets of x (N, K, bins of x) and of y (N, K, bins of y) float32, all zero if the weight is 0; weights (N, K)
            float32: 1 for labelled keypoints whose Gaussians reach both axes within 3 sigma.
        """
        uv = np.asarray(xy_input, np.float64) * self.split_ratio
        center = np.rint(uv) if self.target == "rounded" else uv
        weight = (np.asarray(visible) > 0) & reaches_map(center, self.bins, np.asarray(self.sigma))
        targets = []
        for axis in (0, 1):
            profile = gaussian_profile(center[..., axis], self.bins[axis], self.sigma[axis]) * weight[..., None]
            if self.normalize:
                profile /= np.float32(self.sigma[axis] * np.sqrt(2 * np.pi))
            targets.append(profile)
        return (targets[0], targets[1]), weight.astype(np.float32)

    # ---------------------------------------------------------------- decode

    def decode(self, outputs: tuple[np.ndarray, np.ndarray], crop: Crop) -> tuple[np.ndarray, np.ndarray]:
        """Keypoints of a batch of responses, in pixels of the image that each crop was cut from.

        Args:
            outputs: (B, K, bins of x) and (B, K, bins of y), targets or the network's logits; not changed.
            crop: the B crops that the network was given.

        Returns:
            xy_image (B, K, 2) float64, and scores (B, K) float32, the smaller of the two maxima, as in MMPose. A network's are
            logits: above 1 at times, and 0 or less where it sees no keypoint (MMPose then reports a location outside of the
            crop; here it is the highest bin's).

        Raises:
            DataError: the responses have other sizes than the codec's, or hold NaN.
        """
        x, y = (np.asarray(each, np.float32) for each in outputs)
        if x.ndim != 3 or x.shape[2] != self.bins[0] or y.shape != (*x.shape[:2], self.bins[1]) or len(x) != len(crop):
            raise DataError(
                f"decode: expected responses ({len(crop)}, K, {self.bins[0]}) along x and ({len(crop)}, K, {self.bins[1]}) along "
                f"y for {len(crop)} crops, given {x.shape} and {y.shape}; input_wh times split_ratio must be the network's sizes"
            )
        uv, scores = self.locate(x, y)
        return crop.to_image(uv / self.split_ratio), scores

    def locate(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Peaks of (B, K, n) responses of both axes: uv (B, K, 2) float64 bins and scores (B, K) float32.

        Raises:
            DataError: the responses hold NaN.
        """
        found = [self._along_axis(each.reshape(-1, each.shape[2]), axis) for axis, each in enumerate((x, y))]
        uv = np.stack([center for center, _ in found], axis=-1)
        score = np.minimum(found[0][1], found[1][1])
        if np.isnan(score).any():
            raise DataError("SimCC responses hold NaN: the weights are broken or half precision overflowed; nothing was decoded")
        return uv.reshape(*x.shape[:2], 2), score.reshape(x.shape[:2])

    def _along_axis(self, responses: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
        bins, value = find_axis_peaks(responses)
        if self.decoder == "argmax":
            return bins.astype(np.float64), value
        return refine_gaussian(responses, bins, self.sigma[axis]), value

    # ---------------------------------------------------------------- flip

    @property
    def shift_after_flip(self) -> float:
        """Bins by which the x response of a mirrored crop, mirrored back, must move to the left to match the plain one.

        Mirroring takes input pixel x to W - 1 - x, thus bin ``x r`` to ``(W - 1 - x) r``; reversing ``n`` bins takes that to
        ``n - 1 - (W - 1 - x) r``, which is ``r - 1`` bins too far right if ``n = W r``.
        """
        if self.flip_shift is not None:
            return self.flip_shift
        return float(self.bins[0] - 1 - (self.input_wh[0] - 1) * self.split_ratio)

    def merge_flipped(
        self, outputs: tuple[np.ndarray, np.ndarray], outputs_of_mirrored: tuple[np.ndarray, np.ndarray], skeleton: Skeleton
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mean of the responses and those of the mirrored crops, mirrored back and aligned."""
        (x, y), (mirrored_x, mirrored_y) = outputs, outputs_of_mirrored
        partner = np.asarray(skeleton.flip_permutation)
        back = _shift_left(np.asarray(mirrored_x)[:, partner, ::-1], self.shift_after_flip)
        half = np.float32(0.5)
        return (x + back) * half, (y + np.asarray(mirrored_y)[:, partner]) * half

    # ---------------------------------------------------------------- card

    def to_dict(self) -> dict[str, Any]:
        """Plain mapping for YAML; ``SimCCCodec.from_dict`` gives the same codec back."""
        return {
            "name": "SimCCCodec",
            "input_wh": list(self.input_wh),
            "split_ratio": self.split_ratio,
            "sigma": list(self.sigma),
            "target": self.target,
            "normalize": self.normalize,
            "alignment": self.alignment,
            "decoder": self.decoder,
            "flip_shift": self.flip_shift,
        }


def _per_axis(sigma: Optional[Union[float, Sequence[float]]], input_wh: tuple[int, int]) -> tuple[float, float]:
    if sigma is None:
        return max((input_wh[0] / 8) ** 0.5, LEAST_SIGMA), max((input_wh[1] / 8) ** 0.5, LEAST_SIGMA)
    if isinstance(sigma, (list, tuple)):
        return float(sigma[0]), float(sigma[1])
    return float(sigma), float(sigma)  # type: ignore[arg-type]


def _plain(given: dict[str, Any]) -> dict[str, Any]:
    """NumPy's arrays and numbers as Python's, for the checks."""
    return {key: value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value for key, value in given.items()}


def _shift_left(responses: np.ndarray, bins: float) -> np.ndarray:
    """Move (..., n) responses left by a whole or fractional number of bins; the last value is repeated."""
    if bins == 0:
        return responses
    n = responses.shape[-1]
    whole_bins = int(np.floor(bins))
    low = np.minimum(np.arange(n) + whole_bins, n - 1)
    part = np.float32(bins - whole_bins)
    if part == 0:
        return responses[..., low]
    return (1 - part) * responses[..., low] + part * responses[..., np.minimum(low + 1, n - 1)]
