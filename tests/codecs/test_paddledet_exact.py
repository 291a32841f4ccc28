"""The exact switch against PaddleDetection's published formulas, written out plainly (fact sheet: sections 4.3, 4.4, 4.7)."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ppdet.codecs import HeatmapCodec


def _plain_dark(map_hw: np.ndarray, kernel: int) -> tuple[float, float, float]:
    """Zero-padded blur, rescaling to the old maximum, Newton step where two cells lie on every side (one map)."""
    h, w = map_hw.shape
    y, x = np.unravel_index(map_hw.argmax(), map_hw.shape)
    peak = map_hw.max()
    border = (kernel - 1) // 2
    padded = np.zeros((h + 2 * border, w + 2 * border), np.float32)
    padded[border:-border, border:-border] = map_hw
    blurred = cv2.GaussianBlur(padded, (kernel, kernel), 0)[border:-border, border:-border]
    blurred = np.log(np.maximum(blurred * peak / blurred.max(), 1e-10)).astype(np.float64)
    u, v = float(x), float(y)
    if 1 < x < w - 2 and 1 < y < h - 2:
        b = blurred
        gradient = np.array([b[y, x + 1] - b[y, x - 1], b[y + 1, x] - b[y - 1, x]]) / 2
        dxx = (b[y, x + 2] - 2 * b[y, x] + b[y, x - 2]) / 4
        dyy = (b[y + 2, x] - 2 * b[y, x] + b[y - 2, x]) / 4
        dxy = (b[y + 1, x + 1] - b[y - 1, x + 1] - b[y + 1, x - 1] + b[y - 1, x - 1]) / 4
        hessian = np.array([[dxx, dxy], [dxy, dyy]])
        if np.linalg.det(hessian) != 0:
            du, dv = -np.linalg.solve(hessian, gradient)
            u, v = u + du, v + dv
    return u, v, peak


def _noisy_maps(codec: HeatmapCodec, count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    uv = rng.uniform([-1, -1], codec.heatmap_wh, (count, 17, 2))
    maps, _ = codec.encode(uv / codec.cells_per_pixel, np.ones((count, 17)))
    noise = np.stack([cv2.GaussianBlur(n, (0, 0), 1) for n in rng.normal(0, 0.1, (count * 17, *maps.shape[2:]))])
    return (maps * rng.uniform(0.2, 1, (count, 17, 1, 1)) + noise.reshape(maps.shape)).astype(np.float32)


@pytest.mark.parametrize("kernel", [3, 11])
def test_dark_step_equals_the_plain_loop(kernel: int) -> None:
    codec = HeatmapCodec((96, 128), sigma=1.5, blur_kernel=kernel, paddledet_exact=True)
    maps = _noisy_maps(codec, 12)
    uv, scores = codec.locate(maps)
    for b in range(len(maps)):
        for k in range(17):
            u, v, peak = _plain_dark(maps[b, k], kernel)
            assert scores[b, k] == pytest.approx(peak)
            # a nearly singular curvature magnifies the float32 of cv2's blur
            assert uv[b, k] == pytest.approx([u, v], abs=2e-3, rel=1e-3)


def test_quarter_offset_equals_the_plain_loop() -> None:
    codec = HeatmapCodec((96, 128), decoder="quarter", paddledet_exact=True)
    maps = _noisy_maps(codec, 4)
    uv, _ = codec.locate(maps)
    h, w = maps.shape[2:]
    for b in range(len(maps)):
        for k in range(17):
            y, x = np.unravel_index(maps[b, k].argmax(), (h, w))
            u, v = float(x), float(y)
            if 1 < x < w - 1 and 1 < y < h - 1:
                u += 0.25 * np.sign(maps[b, k, y, x + 1] - maps[b, k, y, x - 1])
                v += 0.25 * np.sign(maps[b, k, y + 1, x] - maps[b, k, y - 1, x])
            assert uv[b, k] == pytest.approx([u, v])


def test_unwarp_is_the_edge_aligned_inverse_whatever_made_the_crop() -> None:
    """`transform_preds` inverts get_affine_transform(centre, size, 0, heatmap size): three point pairs."""
    codec = HeatmapCodec((96, 128), sigma=1, alignment="udp", paddledet_exact=True)
    center, size = np.array([[120.0, 80.0]]), np.array([[60.0, 80.0]])
    w, h = codec.heatmap_wh
    source = np.array([[120, 80], [120, 80 - 30], [120 - 30, 80 - 30]], np.float32)
    target = np.array([[w / 2, h / 2], [w / 2, h / 2 - w / 2], [0, h / 2 - w / 2]], np.float32)
    inverse = cv2.getAffineTransform(target, source)
    xy_input = np.random.default_rng(2).uniform(16, 80, (1, 17, 2))
    maps, _ = codec.encode(xy_input, np.ones((1, 17)))
    uv, _ = codec.locate(maps)
    want = uv[0] @ inverse[:, :2].T + inverse[:, 2]
    got, _ = codec.decode(maps, codec.crop_at(center, size, np.zeros(1)))
    assert got[0] == pytest.approx(want, abs=1e-4)


def test_the_bias_that_the_true_inverse_removes() -> None:
    """On perfect maps PaddleDetection's TinyPose recipe lands about 0.7 input pixels off, ours does not."""
    errors = {}
    for exact in (False, True):
        codec = HeatmapCodec((96, 128), sigma=1, alignment="udp", paddledet_exact=exact)
        crop = codec.crop_at(np.array([[200.0, 200.0]]), np.array([[96.0, 128.0]]), np.zeros(1))
        xy = np.random.default_rng(3).uniform(12, 80, (1, 17, 2))
        maps, _ = codec.encode(xy, np.ones((1, 17)))
        errors[exact] = np.linalg.norm(crop.to_input(codec.decode(maps, crop)[0]) - xy, axis=-1).mean()
    assert errors[False] < 0.01
    assert 0.6 < errors[True] < 0.85


def test_rounded_target_is_the_published_patch() -> None:
    """Patch of (6 sigma + 1) squared around int(x / stride + .5), values exp(-d^2 / 2 sigma^2), zero outside."""
    codec = HeatmapCodec((192, 256), sigma=2, target="rounded")
    maps, _ = codec.encode(np.array([[[101.0, 57.0]]]), np.ones((1, 1)))
    cx, cy = int(101 / 4 + 0.5), int(57 / 4 + 0.5)
    y, x = np.mgrid[:64, :48]
    want = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 8.0)
    want[(abs(x - cx) > 6) | (abs(y - cy) > 6)] = 0
    assert maps[0, 0] == pytest.approx(want, abs=1e-6)
