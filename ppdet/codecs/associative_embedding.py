"""The bottom-up codec: one heatmap per keypoint for all people; per-pixel tags identify the person.

Legend: P people, K keypoints, M candidates per keypoint, T tag dimensions, H W input pixels, h w cells of a map.

Newell et al., "Associative Embedding", NeurIPS 2017; Cheng et al., "HigherHRNet", CVPR 2020. "The authors" below means the
code of the latter. Where PaddleDetection differs, ``paddledet_exact`` reproduces its numbers.
"""

from __future__ import annotations

from typing import Any, Optional, Sequence

import numpy as np

from ppdet.codecs.base import Codec
from ppdet.codecs.bottom_up_candidates import Candidates
from ppdet.codecs.bottom_up_frame import bottom_up_frame
from ppdet.codecs.bottom_up_poses import GroupedPoses
from ppdet.codecs.bottom_up_targets import group_heatmaps, tag_joints
from ppdet.codecs.map_candidates import candidates_of_maps, flip_merged
from ppdet.codecs.tag_grouping import MATCHINGS, Grouping, authors_order
from ppdet.codecs.tag_refining import search_missing
from ppdet.core.config.registry import register
from ppdet.core.content_schema import list_of, mapping, number, one_of, optional, switch, whole
from ppdet.core.errors import ConfigError, DataError
from ppdet.core.problem import short_repr
from ppdet.geometry.crop import Crop
from ppdet.skeletons import Skeleton


@register
class AssociativeEmbeddingCodec(Codec):
    """Frame, encode, decode and flip for HigherHRNet and SWAHR.

    Args:
        input_wh: training input (width, height); its shorter side is also the short side of a test image.
        strides: input pixels per cell of each output, coarse first; the first output also has the tags.
        sigma: of the target Gaussians, in cells, at every stride.
        max_people: limit on candidates per keypoint, on people per image whose tags are trained, and on people to match.
        detection_threshold: candidates with a lower heatmap value are ignored.
        tag_threshold: a candidate joins a person if its tag is closer than this to the person's mean tag.
        joint_order: the order in which keypoints are matched. Default: see `order_for`.
        matching: ``bounded``, or ``authors`` for the authors' assignment, which splits people in crowded scenes; see `Grouping`.
        ignore_too_much: once max_people people exist, drop candidates that match none of them instead of starting another.
        adjust: move peaks by a quarter pixel towards the higher neighbour, and by half a pixel, the mean truncation error.
        refine: fill in a person's missing keypoints with the best pixel for its mean tag.
        refine_cell: that search uses the highest pixel of each block of this size; 1 uses every pixel, as the authors do.
        size_divisor: the long side of a test image is rounded up to a multiple of this.
        paddledet_exact: reproduce PaddleDetection's grouping: natural keypoint order, unmatched candidates preferred to distant
            matches, people with equal first tags merged, missing keypoints only where the heat exceeds the rounded tag distance.

    Raises:
        ConfigError: a value out of range, or values that contradict each other.
    """

    kind = "bottom_up"
    alignment = "affine"
    content_rule = staticmethod(
        mapping(
            {
                "input_wh": list_of(whole(1, 8192), length=2),
                "strides": list_of(whole(1, 1024), least=1, most=8),
                "sigma": number(0.001, 1000),
                "max_people": whole(1, 10_000),
                "detection_threshold": number(0, 1000),
                "tag_threshold": number(0.0),
                "joint_order": optional(list_of(whole(0, 10_000))),
                "matching": one_of(*MATCHINGS),
                "ignore_too_much": switch(),
                "adjust": switch(),
                "refine": switch(),
                "refine_cell": whole(1, 1024),
                "size_divisor": whole(1, 4096),
                "paddledet_exact": switch(),
            }
        )
    )

    def __init__(
        self,
        input_wh: Sequence[int] = (512, 512),
        strides: Sequence[int] = (4, 2),
        sigma: float = 2.0,
        max_people: int = 30,
        detection_threshold: float = 0.1,
        tag_threshold: float = 1.0,
        joint_order: Optional[Sequence[int]] = None,
        matching: str = "bounded",
        ignore_too_much: bool = False,
        adjust: bool = True,
        refine: bool = True,
        refine_cell: int = 4,
        size_divisor: int = 64,
        paddledet_exact: bool = False,
    ) -> None:
        self.input_wh = _two_sizes(input_wh)
        self.strides = tuple(int(s) for s in strides)
        self.sigma = float(sigma)
        self.max_people = int(max_people)
        self.detection_threshold = float(detection_threshold)
        self.tag_threshold = float(tag_threshold)
        self.joint_order = None if joint_order is None else tuple(int(j) for j in joint_order)
        self.matching = str(matching)
        self.ignore_too_much = bool(ignore_too_much)
        self.adjust = bool(adjust)
        self.refine = bool(refine)
        self.refine_cell = int(refine_cell)
        self.size_divisor = int(size_divisor)
        self.paddledet_exact = bool(paddledet_exact)
        self._check()

    def _check(self) -> None:
        falling = list(self.strides) == sorted(set(self.strides), reverse=True)
        if not self.strides or min(self.strides) < 1 or not falling:
            raise ConfigError(f"codec: strides are input pixels per cell, coarse first, e.g. [4, 2]; given {list(self.strides)}")
        if any(side % stride for side in self.input_wh for stride in self.strides):
            raise ConfigError(f"codec: input_wh {list(self.input_wh)} must be divisible by the strides {list(self.strides)}")
        for name in ("sigma", "max_people", "tag_threshold", "refine_cell", "size_divisor"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"codec: {name} must be positive, given {getattr(self, name)}")
        if self.matching not in MATCHINGS:
            raise ConfigError(f"codec: matching must be one of {', '.join(MATCHINGS)}; given {self.matching!r}")
        if self.detection_threshold < 0:
            raise ConfigError(f"codec: detection_threshold must be at least 0, given {self.detection_threshold}")
        if self.size_divisor % self.refine_cell:
            raise ConfigError(f"codec: size_divisor {self.size_divisor} must be a multiple of refine_cell {self.refine_cell}")
        if self.joint_order is not None and sorted(self.joint_order) != list(range(len(self.joint_order))):
            raise ConfigError(f"codec: joint_order must name every keypoint 0..K-1 once, given {list(self.joint_order)}")

    @property
    def heatmap_whs(self) -> tuple[tuple[int, int], ...]:
        """(width, height) of each training map, coarse first."""
        return tuple((self.input_wh[0] // s, self.input_wh[1] // s) for s in self.strides)

    def order_for(self, num_keypoints: int) -> tuple[int, ...]:
        """The order in which K keypoints are matched: ``joint_order`` if given, 0..K-1 with ``paddledet_exact``, else the
        authors', which takes hips before elbows (COCO's 17 and, cut short, 14 keypoints); other counts go 0..K-1.

        Raises:
            ConfigError: ``joint_order`` is for another number of keypoints.
        """
        if self.joint_order is None:
            return tuple(range(num_keypoints)) if self.paddledet_exact else authors_order(num_keypoints)
        if len(self.joint_order) != num_keypoints:
            raise ConfigError(f"codec: joint_order names {len(self.joint_order)} keypoints, the skeleton has {num_keypoints}")
        return self.joint_order

    # ---------------------------------------------------------------- image

    def frame_for_image(self, image_wh: Sequence[int], scale: float = 1.0, min_scale: Optional[float] = None) -> Crop:
        """A single whole-image crop; its ``input_wh`` is the network input size for this image.

        Args:
            image_wh: (width, height) of the image.
            scale: of the short side, relative to the training input's shorter side.
            min_scale: smallest scale of a multi-scale test. Sizes are rounded at that scale, so that all scales cover the same
                part of the image. Default: ``scale``.

        Raises:
            DataError: an image without pixels.
        """
        smallest = scale if min_scale is None else min_scale
        return bottom_up_frame(image_wh, min(self.input_wh), self.size_divisor, scale, smallest, self.paddledet_exact)

    # ---------------------------------------------------------------- training

    def encode(self, xy_input: np.ndarray, visible: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Targets of one image.

        Args:
            xy_input: (P, K, 2) input pixels, P from 0 up.
            visible: (P, K), greater than 0 for labelled keypoints.

        Returns:
            heatmaps: for each stride (K, h, w) float32; where people overlap, the larger value.
            tag_joints: (max_people, K, 2) int64: the flat index of the keypoint's tag in the coarse K h w map and 1, or 0 and 0
                for keypoints that are unlabelled or outside. The heatmaps contain all people; if there are more than
                ``max_people``, only the largest have tags.
        """
        xy = np.asarray(xy_input, np.float64)
        seen = np.asarray(visible) > 0
        maps = [group_heatmaps(xy / s, seen, wh, self.sigma) for s, wh in zip(self.strides, self.heatmap_whs)]
        return maps, tag_joints(xy / self.strides[0], seen, self.heatmap_whs[0], self.max_people)

    # ---------------------------------------------------------------- decode

    def candidates(self, heat: np.ndarray, tags: np.ndarray) -> Candidates:
        """Candidates of maps at input size, as an exported graph computes them: local maxima, and each refine cell's maximum.

        Args:
            heat: (K, H, W).
            tags: (K, H, W, T), or (K, H, W) for T = 1.

        Raises:
            DataError: the shapes do not fit each other, or values are not finite.
        """
        tags = tags[..., None] if np.ndim(tags) == 3 else tags
        return candidates_of_maps(heat, tags, self.max_people, self.refine_cell if self.refine else None)

    def decode(self, outputs: Candidates, crop: Crop, skeleton: Optional[Skeleton] = None) -> GroupedPoses:
        """Group candidates into people.

        Args:
            outputs: candidates in input pixels.
            crop: the whole-image crop that the network was given (`frame_for_image`).
            skeleton: only to check the number of keypoints.

        Returns:
            The people, best first; none if no candidate reaches the detection threshold.

        Raises:
            DataError: candidates are not finite, or their number of keypoints differs from the skeleton's.
        """
        if skeleton is not None and skeleton.num_keypoints != outputs.num_keypoints:
            raise DataError(f"decode: candidates of {outputs.num_keypoints} keypoints for skeleton {skeleton.name!r} with "
                            f"{skeleton.num_keypoints}")
        outputs.require_finite()
        rules = Grouping(
            order=self.order_for(outputs.num_keypoints),
            max_people=self.max_people,
            detection_threshold=self.detection_threshold,
            tag_threshold=self.tag_threshold,
            ignore_too_much=self.ignore_too_much,
            matching="paddledet" if self.paddledet_exact else self.matching,
        )
        people = rules.group(outputs)
        shift = outputs.offset + np.float32(0.5) if self.adjust else np.zeros_like(outputs.offset)
        xy = people.gather(outputs.xy + shift)
        scores = people.gather(outputs.score)
        person_scores = scores.mean(axis=1)
        if self.refine:
            search_missing(outputs, people.tag, xy, scores, self.paddledet_exact)
        found = (scores > 0)[..., None]
        xy_image = np.where(found, crop.to_image(xy.reshape(1, -1, 2)).reshape(xy.shape), 0.0)
        best_first = np.argsort(-person_scores, kind="stable")
        return GroupedPoses(xy_image[best_first].astype(np.float32), scores[best_first], person_scores[best_first])

    # ---------------------------------------------------------------- flip

    def merge_flipped(
        self,
        outputs: tuple[np.ndarray, np.ndarray],
        outputs_of_mirrored: tuple[np.ndarray, np.ndarray],
        skeleton: Skeleton,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Merge heat and tags of an image with those of the mirrored image, mirrored back.

        Args:
            outputs: heat (..., K, H, W) and tags (..., K, H, W, T).
            outputs_of_mirrored: the same of the mirrored input.
            skeleton: knows which keypoints change places.

        Returns:
            mean heat; tags (..., K, H, W, 2T) side by side, because a person has other tags in the mirrored image.
        """
        return flip_merged(outputs, outputs_of_mirrored, skeleton)

    # ---------------------------------------------------------------- plain form

    def to_dict(self) -> dict[str, Any]:
        """Mapping for configs and model cards; ``from_dict`` gives an equal codec back."""
        return {
            "name": type(self).__name__,
            "input_wh": list(self.input_wh),
            "strides": list(self.strides),
            "sigma": self.sigma,
            "max_people": self.max_people,
            "detection_threshold": self.detection_threshold,
            "tag_threshold": self.tag_threshold,
            "joint_order": None if self.joint_order is None else list(self.joint_order),
            "matching": self.matching,
            "ignore_too_much": self.ignore_too_much,
            "adjust": self.adjust,
            "refine": self.refine,
            "refine_cell": self.refine_cell,
            "size_divisor": self.size_divisor,
            "paddledet_exact": self.paddledet_exact,
        }


def _two_sizes(value: Sequence[int]) -> tuple[int, int]:
    try:
        width, height = (int(side) for side in value)
    except (TypeError, ValueError):
        width, height = 0, 0
    if min(width, height) < 1:
        raise ConfigError(f"codec: input_wh is [width, height], both positive; given {short_repr(value)}")
    return width, height
