"""Maps that a perfect bottom-up network would give for known people, with or without noise.

Legend: P people, K keypoints, H W input pixels, T tag dimensions.
"""

from __future__ import annotations

import cv2
import numpy as np

from ppdet.codecs import AssociativeEmbeddingCodec


def upsampled(maps: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """(K, h, w) to (K, H, W), bilinear as the networks do it."""
    return np.stack([cv2.resize(m, size_wh, interpolation=cv2.INTER_LINEAR) for m in maps])


def bottom_up_maps(
    codec: AssociativeEmbeddingCodec,
    xy_input: np.ndarray,
    visible: np.ndarray,
    person_tags: np.ndarray,
    noise: float = 0.0,
    rng: np.random.Generator | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Heat (K, H, W) and tags (K, H, W, T).

    Args:
        codec: its `input_wh` is the size of the maps.
        xy_input: (P, K, 2).
        visible: (P, K) bool.
        person_tags: (P, T).
        noise: standard deviation of noise on cells of the heatmaps; tags get ten times as much.
        rng: for the noise.
    """
    (coarse, fine), _ = codec.encode(xy_input, visible)
    tags = _tag_cells(xy_input / codec.strides[0], visible, codec.heatmap_whs[0], person_tags)
    if noise:
        assert rng is not None
        coarse, fine = (m + rng.normal(0, noise, m.shape).astype(np.float32) for m in (coarse, fine))
        tags = tags + rng.normal(0, 10 * noise, tags.shape).astype(np.float32)
    heat = (upsampled(coarse, codec.heatmap_whs[1]) + fine) / 2
    full = np.stack([upsampled(tags[..., t], codec.input_wh) for t in range(tags.shape[-1])], axis=-1)
    return upsampled(heat, codec.input_wh), full


def _tag_cells(uv: np.ndarray, visible: np.ndarray, wh: tuple[int, int], person_tags: np.ndarray) -> np.ndarray:
    """(K, h, w, T): every cell has the tag of the person whose same keypoint is nearest; of people who do not show it, whose
    nearest keypoint is within ten cells of it."""
    K = visible.shape[1]
    cells = np.stack(np.meshgrid(np.arange(wh[0]), np.arange(wh[1])), -1)
    tags = np.zeros((K, wh[1], wh[0], person_tags.shape[1]), np.float32)
    for k in range(K):
        nearest = np.full((wh[1], wh[0]), np.inf)
        for p in range(len(uv)):
            if visible[p, k]:
                away = ((cells - np.floor(uv[p, k])) ** 2).sum(-1)
            elif visible[p].any():
                middle = uv[p, visible[p]].mean(0)
                away = ((cells - middle) ** 2).sum(-1) + 100.0
            else:
                continue
            closer = away < nearest
            nearest[closer] = away[closer]
            tags[k, closer] = person_tags[p]
    return tags


def grid_of_people(rng: np.random.Generator, people: int, num_keypoints: int, input_wh: tuple[int, int], missing: float = 0.0):
    """People on a jittered grid: xy_input (P, K, 2), visible (P, K); same keypoints of two people stay 3 sigma apart."""
    columns = int(np.ceil(np.sqrt(people)))
    pitch = np.array(input_wh) / columns
    assert pitch.min() >= 60
    places = rng.permutation(columns**2)[:people]
    anchors = (np.stack([places % columns, places // columns], -1) + 0.5) * pitch
    xy = anchors[:, None] + rng.uniform(-18, 18, (people, num_keypoints, 2))
    visible = rng.random((people, num_keypoints)) >= missing
    visible[~visible.any(1), 0] = True
    return xy, visible
