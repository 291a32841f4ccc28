"""X-ray-like pictures of hands with known landmarks, to try a training without data of patients.

A hand is five chains of bones: shafts are bright at the edge and darker inside, joints are gaps between wider ends, and soft
tissue is a grey glow around them. Nothing is copied from a radiograph. Distances are millimetres until the detector counts them
in pixels.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List

import cv2
import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.core.extras import install_extra
from ppdet.core.files import atomic_write

FINGERS = ("thumb", "index", "middle", "ring", "little")
JOINTS = ("base", "knuckle", "middle", "end", "tip")
"""Of a finger from the wrist on. The thumb has no middle joint."""
WRIST = ("radius", "ulna")
NAMES = tuple(f"{finger} {joint}" for finger in FINGERS for joint in JOINTS if (finger, joint) != ("thumb", "middle")) + WRIST

WHITES = 4095
SPACING = 0.58
MARGIN = 0.03
"""Least distance of landmarks to the border, as part of the shorter side."""
_LENGTHS_MM = {"thumb": (46, 32, 22), "index": (67, 40, 23, 17), "middle": (65, 44, 27, 18), "ring": (58, 41, 26, 18),
               "little": (54, 32, 19, 16)}  # fmt: skip
"""Metacarpal and phalanges, about those of an adult."""
_SPREAD = (-48.0, -13.0, 0.0, 12.0, 25.0)
_BASE_X_MM, _BASE_Y_MM = (-19.0, -11.0, -1.0, 9.0, 18.0), (8.0, -2.0, -4.0, -3.0, 0.0)
_WIDTH_MM = (8.5, 8.5, 9.0, 8.0, 7.0)
_FRACTION = 16


@dataclass(frozen=True)
class RenderedHand:
    """One picture.

    Attributes:
        pixels: (H, W) uint16, 12 bits used, bones bright.
        keypoints: (K, 2) x, y in pixels, in the order of `NAMES`; pixel centres are integers.
        spacing: millimetres per pixel.
    """

    pixels: np.ndarray
    keypoints: np.ndarray
    spacing: float


def rendered_hand(seed: int, size_wh: tuple[int, int] = (400, 480), left: bool = False) -> RenderedHand:
    """A hand of random size, place, turn and pose.

    Args:
        seed: of everything that is random.
        size_wh: of the picture, at least 100 pixels per side.
        left: the mirror image of the others.

    Raises:
        ConfigError: a smaller picture.
    """
    if min(size_wh) < 100:
        raise ConfigError(f"a rendered hand needs 100 pixels per side; given {size_wh[0]} x {size_wh[1]}")
    rng = np.random.default_rng(seed)
    chains, wrist = _skeleton(rng)
    spacing = SPACING * 480 / min(size_wh[1], size_wh[0] * 1.2)
    mirror = np.array([-1.0 if left else 1.0, 1.0])
    angle = np.deg2rad(rng.normal(0, 8))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array(size_wh) * [0.5, 0.7] + rng.normal(0, 0.03, 2) * size_wh

    def place(points: np.ndarray) -> np.ndarray:
        return (points * mirror) @ turn.T / spacing + middle

    every = np.concatenate([place(chain) for chain in chains])
    edge = MARGIN * min(size_wh)
    middle = middle + np.maximum(edge - every.min(axis=0), 0) - np.maximum(every.max(axis=0) - (np.array(size_wh) - edge), 0)
    widths = [width / spacing for width in _WIDTH_MM]
    placed = [place(chain) for chain in chains]
    bones = _bones(placed, place(wrist), widths, rng, size_wh)
    flesh = cv2.GaussianBlur(_flesh(placed, place(wrist), widths, size_wh), (0, 0), 3 / spacing)
    picture = 0.06 + 0.26 * flesh + bones + rng.normal(0, 0.012, bones.shape)
    gain = rng.uniform(0.75, 1.15)
    pixels = np.rint(np.clip(picture * gain, 0, 1) * WHITES).astype(np.uint16)
    return RenderedHand(pixels, np.concatenate([*placed, place(wrist)]), float(spacing))


def write_hands(
    folder: Path, count: int, seed: int = 0, size_wh: tuple[int, int] = (400, 480), both: bool = False, dicom: bool = False
) -> Path:
    """Write pictures and a COCO file of them.

    Args:
        folder: gets `images` and `annotations.json`.
        count: of pictures.
        seed: of the first; each picture has its own.
        size_wh: of the pictures.
        both: every second hand is a left one; all are right ones otherwise.
        dicom: write DICOM, every other file with black bones (MONOCHROME1), instead of PNG with 16 bits.

    Returns:
        The annotation file.

    Raises:
        ConfigError: fewer than one picture, or `dicom` without pydicom.
    """
    if count < 1:
        raise ConfigError(f"rendered hands: give 1 or more pictures, not {count}")
    (folder / "images").mkdir(parents=True, exist_ok=True)
    images: List[Dict[str, Any]] = []
    annotations: List[Dict[str, Any]] = []
    for number in range(count):
        hand = rendered_hand(seed + number, size_wh, left=both and number % 2 == 1)
        file = folder / "images" / f"hand_{seed + number:04d}{'.dcm' if dicom else '.png'}"
        if dicom:
            _write_dicom(file, hand, black_bones=number % 2 == 1)
        else:
            cv2.imwrite(str(file), hand.pixels)
        flat = [round(float(value), 3) for x, y in hand.keypoints for value in (x, y, 2)]
        annotations.append({"id": number + 1, "image_id": number + 1, "category_id": 1, "iscrowd": 0, "keypoints": flat,
                            "num_keypoints": len(NAMES)})  # fmt: skip
        image = {"id": number + 1, "file_name": file.name, "width": size_wh[0], "height": size_wh[1]}
        images.append(image if dicom else {**image, "pixel_spacing": [hand.spacing, hand.spacing]})
    category = {"id": 1, "name": "hand", "keypoints": list(NAMES), "skeleton": _links()}
    path = folder / "annotations.json"
    with atomic_write(path) as stream:
        json.dump({"images": images, "annotations": annotations, "categories": [category]}, stream)
    return path


def _skeleton(rng: np.random.Generator) -> tuple[List[np.ndarray], np.ndarray]:
    """Joints of the five fingers and the wrist in millimetres, y down, the wrist near (0, 0)."""
    size, spread = rng.uniform(0.85, 1.12), rng.normal(1.0, 0.15)
    chains = []
    for finger, name in enumerate(FINGERS):
        direction = _SPREAD[finger] * spread + rng.normal(0, 3)
        point = np.array([_BASE_X_MM[finger], _BASE_Y_MM[finger]]) * size
        points = [point]
        for length in _LENGTHS_MM[name]:
            angle = np.deg2rad(direction)
            point = point + length * size * rng.normal(1, 0.04) * np.array([np.sin(angle), -np.cos(angle)])
            points.append(point)
            direction += rng.normal(6 if name == "thumb" else -0.08 * _SPREAD[finger], 4)
        chains.append(np.array(points))
    return chains, np.array([[-11.0, 24.0], [12.0, 26.0]]) * size + rng.normal(0, 1, (2, 2))


def _bones(
    chains: List[np.ndarray], wrist: np.ndarray, widths: List[float], rng: np.random.Generator, wh: tuple[int, int]
) -> np.ndarray:
    """(H, W) brightness of bones."""
    canvas = np.zeros((wh[1], wh[0]), np.float32)
    for chain, width in zip(chains, widths):
        for start, end in zip(chain[:-1], chain[1:]):
            canvas = np.maximum(canvas, _bone(start, end, width, rng.uniform(0.45, 0.55), wh))
    for carpal in range(8):
        row, column = divmod(carpal, 4)
        center = wrist.mean(axis=0) * (0.35 + 0.3 * row) + np.mean([c[0] for c in chains], axis=0) * (0.65 - 0.3 * row)
        across = (wrist[1] - wrist[0]) * (column - 1.5) * 0.4
        spot = _ellipse(center + across, widths[2] * 0.62, wh) * 0.42
        canvas = np.maximum(canvas, spot)
    along = (wrist.mean(axis=0) - chains[2][1]) / np.linalg.norm(wrist.mean(axis=0) - chains[2][1])
    for point, width in zip(wrist, (2.0, 1.4)):
        canvas = np.maximum(canvas, _bone(point, point + along * 12 * widths[2], widths[2] * width, 0.5, wh))
    return cv2.GaussianBlur(canvas, (0, 0), max(widths[2] / 14, 0.6))


def _bone(start: np.ndarray, end: np.ndarray, width: float, bright: float, wh: tuple[int, int]) -> np.ndarray:
    """A shaft with wider ends, dark inside, a gap of a joint at each end."""
    axis = (end - start) / max(np.linalg.norm(end - start), 1e-6)
    first, last = start + axis * width * 0.22, end - axis * width * 0.22
    across = np.array([-axis[1], axis[0]])
    at = np.array([0.0, 0.08, 0.25, 0.5, 0.75, 0.92, 1.0])
    half = np.array([0.42, 0.55, 0.36, 0.30, 0.34, 0.50, 0.38]) * width
    spine = first + at[:, None] * (last - first)

    def filled(scale: float) -> np.ndarray:
        outline = np.concatenate([spine + across * half[:, None] * scale, (spine - across * half[:, None] * scale)[::-1]])
        mask = np.zeros((wh[1], wh[0]), np.float32)
        cv2.fillPoly(mask, [np.rint(outline * _FRACTION).astype(np.int32)], 1.0, lineType=cv2.LINE_8, shift=4)
        return mask

    return (filled(1.0) - 0.38 * filled(0.55)) * np.float32(bright)


def _flesh(chains: List[np.ndarray], wrist: np.ndarray, widths: List[float], wh: tuple[int, int]) -> np.ndarray:
    canvas = np.zeros((wh[1], wh[0]), np.float32)
    for chain, width in zip(chains, widths):
        points = np.rint(chain * _FRACTION).astype(np.int32)
        cv2.polylines(canvas, [points], False, 1.0, max(1, round(width * 1.9)), cv2.LINE_8, 4)
    palm = np.concatenate([[chain[1] for chain in chains], [chains[4][0]], wrist[::-1], [chains[0][0]]])
    cv2.fillPoly(canvas, [cv2.convexHull(np.rint(palm * _FRACTION).astype(np.int32))], 1.0, cv2.LINE_8, 4)
    down = wrist + (wrist.mean(axis=0) - chains[2][1]) * 2
    arm = np.concatenate([wrist + (wrist - wrist.mean(axis=0)) * 0.5, down[::-1]])
    cv2.fillPoly(canvas, [np.rint(arm * _FRACTION).astype(np.int32)], 1.0, cv2.LINE_8, 4)
    return canvas


def _ellipse(center: np.ndarray, radius: float, wh: tuple[int, int]) -> np.ndarray:
    mask = np.zeros((wh[1], wh[0]), np.float32)
    x, y = (int(round(value * _FRACTION)) for value in center)
    cv2.circle(mask, (x, y), int(round(radius * _FRACTION)), 1.0, -1, cv2.LINE_8, 4)
    return mask


def _links() -> List[List[int]]:
    """One-based pairs of neighbours along the fingers, and of the wrist."""
    rows = {name: number for number, name in enumerate(NAMES, start=1)}
    links = [[rows["radius"], rows["ulna"]]]
    for finger in FINGERS:
        chain = [rows[name] for name in NAMES if name.startswith(f"{finger} ")]
        links += [[a, b] for a, b in zip(chain[:-1], chain[1:])]
        links.append([rows["radius" if finger in FINGERS[:3] else "ulna"], chain[0]])
    return links


def _write_dicom(path: Path, hand: RenderedHand, black_bones: bool) -> None:
    try:
        from pydicom.dataset import Dataset, FileMetaDataset
        from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid
    except ModuleNotFoundError as error:
        raise ConfigError("writing DICOM needs pydicom, which is not installed: pip install pydicom, or "
                          f"{install_extra('medical')}") from error  # fmt: skip
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = DigitalXRayImageStorageForPresentation
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
    data.Modality, data.BodyPartExamined, data.PatientName = "DX", "HAND", "Rendered"
    data.Rows, data.Columns = hand.pixels.shape
    data.SamplesPerPixel, data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 1, 16, 12, 11, 0
    data.PhotometricInterpretation = "MONOCHROME1" if black_bones else "MONOCHROME2"
    data.PixelSpacing = [round(hand.spacing, 6)] * 2
    data.WindowCenter, data.WindowWidth = 2048, 4096
    data.PixelData = (WHITES - hand.pixels if black_bones else hand.pixels).tobytes()
    data.save_as(path, enforce_file_format=True)
