"""Radiographs in DICOM as viewers show them: modality transform, window, MONOCHROME1 turned to white bones, pixel spacing.

Nothing is painted over: text that is burnt into the pixels stays there. Reading needs pydicom (extra
medical). Numbers in brackets are tags and sections of the DICOM standard.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import Any, BinaryIO, Optional, Union

import numpy as np

from ppdet.core.errors import ConfigError, MediaError, PpdetError
from ppdet.core.extras import install_extra
from ppdet.image.depth import ImageRange, to_uint8
from ppdet.image.header import DICOM_MAGIC_END, is_dicom

Spacing = tuple[float, float]
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_META_BYTES = 2048
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_EXTREME = 1e30


def dicom_wh(data: bytes, file: str) -> tuple[int, int]:
    """Width and height of the only frame.

    Args:
        data: the file, or its beginning up to the pixels.
        file: what to call it in messages.

    Raises:
        MediaError: no pixels, several frames, or damaged.
        ConfigError: pydicom is not installed.
    """
    dataset = _dataset(BytesIO(data), file, header_only=True)
    with _elements_of(file):
        rows, columns = dataset.get("Rows"), dataset.get("Columns")
        if not rows or not columns:
            kind = getattr(dataset.get("SOPClassUID"), "name", "") or "unknown class"
            raise MediaError(f"{file} is a DICOM file without an image ({kind}); give the file that holds the pixels")
        frames = _number(dataset.get("NumberOfFrames")) or 1
        if frames != 1:
            raise MediaError(f"{file} is a DICOM file of {frames:g} frames, and one file is one image here; export its frames as "
                             "single files, for example with dcmtk's dcm2img --all-frames")
        return int(columns), int(rows)


def decode_dicom(data: bytes, file: str, image_range: Optional[ImageRange] = None) -> np.ndarray:
    """(H, W, 3) RGB uint8 of a file that `dicom_wh` accepts.

    Grey values go through the modality transform (slope and intercept, or its table) and then through the first window or VOI
    table of the file (PS3.3 C.11.2). Without either, the range of the stored bits becomes 0 to 255. MONOCHROME1, whose smallest
    value is white, is inverted, so that bones are bright whatever the detector wrote.

    Args:
        data: the file.
        file: what to call it in messages.
        image_range: values after the modality transform that become 0 and 255, instead of the window.

    Raises:
        MediaError: no pixels, or a compression that cannot be decoded here.
        ConfigError: pydicom is not installed.
    """
    dataset = _dataset(BytesIO(data), file)
    with _elements_of(file):
        return _decoded(dataset, file, image_range)


def _decoded(dataset: Any, file: str, image_range: Optional[ImageRange]) -> np.ndarray:
    if not any(name in dataset for name in _PIXELS):
        raise MediaError(f"{file} is a DICOM file whose pixels are missing; fetch it again, or leave it out")
    pixels = _stored_pixels(dataset, file)
    kind = str(dataset.get("PhotometricInterpretation", "MONOCHROME2"))
    if kind == "PALETTE COLOR":
        from pydicom.pixels import apply_color_lut

        return to_uint8(_high_byte(apply_color_lut(pixels, dataset))[..., :3], None, file)
    if pixels.ndim == 3:
        return np.ascontiguousarray(to_uint8(pixels, None, file, int(dataset.get("BitsStored", 8))))
    try:
        with _quiet():
            grey = _grey(pixels, dataset, file, image_range)
    except (ValueError, TypeError, NotImplementedError, AttributeError) as error:
        raise MediaError(f"{file}: the window or table of this DICOM file cannot be applied: {_first_line(error)}; give "
                         "image_range: [black, white], or correct the file") from error  # fmt: skip
    return np.repeat((255 - grey if kind == "MONOCHROME1" else grey)[..., None], 3, axis=2)


def dicom_spacing(path: Union[str, os.PathLike[str]]) -> Optional[Spacing]:
    """[row, column] millimetres per pixel of a file; None if it is no DICOM file or states none.

    `PixelSpacing` (0028,0030) is taken first, since it is calibrated at the patient; then `ImagerPixelSpacing` (0018,1164) at the
    detector, divided by the magnification (0018,1114) if that is stated; then `NominalScannedPixelSpacing` (0018,2010).

    Raises:
        ConfigError: pydicom is not installed.
    """
    try:
        with open(path, "rb") as stream:
            if not is_dicom(stream.read(DICOM_MAGIC_END)):
                return None
            dataset = _dataset(stream, str(path), header_only=True)
        with _elements_of(str(path)):
            return _spacing(dataset)
    except (OSError, MediaError):
        return None


def _spacing(dataset: Any) -> Optional[Spacing]:
    magnification = _number(dataset.get("EstimatedRadiographicMagnificationFactor")) or 1.0
    for name, factor in (("PixelSpacing", 1.0), ("ImagerPixelSpacing", magnification), ("NominalScannedPixelSpacing", 1.0)):
        values = [_number(value) for value in _listed(dataset.get(name))]
        if len(values) == 2 and all(value is not None and value > 0 for value in values):
            return float(values[0] or 0) / factor, float(values[1] or 0) / factor
    return None


def _grey(pixels: np.ndarray, dataset: Any, file: str, image_range: Optional[ImageRange]) -> np.ndarray:
    from pydicom.pixels import apply_modality_lut, apply_voi, apply_windowing

    values = apply_modality_lut(pixels, dataset)
    if image_range is None and dataset.get("VOILUTSequence"):
        whites = 2 ** int(dataset.VOILUTSequence[0].LUTDescriptor[2]) - 1
        return to_uint8(apply_voi(values, dataset).astype(np.float64), (0.0, float(whites)), file)
    if image_range is None and _has_window(dataset):
        low, high = apply_windowing(np.array([-_EXTREME, _EXTREME]), dataset)  # its black and white
        return to_uint8(apply_windowing(values, dataset), (float(low), float(high)), file)
    changed = bool(dataset.get("ModalityLUTSequence")) or "RescaleSlope" in dataset
    if image_range is None and (changed or dataset.get("PixelRepresentation")):
        limits = apply_modality_lut(_stored_limits(dataset), dataset)
        image_range = float(limits.min()), float(limits.max())
    return to_uint8(values, image_range, file, int(dataset.get("BitsStored", 0)))


def _has_window(dataset: Any) -> bool:
    """Whether there is a window; one of no width (some devices write 0) is none."""
    widths = [_number(value) for value in _listed(dataset.get("WindowWidth"))]
    return bool(widths) and (widths[0] or 0) > 0 and bool(_listed(dataset.get("WindowCenter")))


def _stored_limits(dataset: Any) -> np.ndarray:
    """(2,) smallest and largest value that the stored bits hold."""
    bits, signed = int(dataset.BitsStored), bool(dataset.get("PixelRepresentation"))
    return np.array([-(1 << bits - 1), (1 << bits - 1) - 1] if signed else [0, (1 << bits) - 1], np.int64)


def _stored_pixels(dataset: Any, file: str) -> np.ndarray:
    """(H, W), or (H, W, 3) RGB, as they are stored."""
    try:
        with _quiet():
            return np.asarray(dataset.pixel_array)
    except Exception as error:  # decoders of many makers raise what they like
        syntax = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
        name = getattr(syntax, "name", None) or "unknown encoding"
        raise MediaError(f"{file}: the pixels of this DICOM file ({name}) cannot be decoded: {_first_line(error)}. If a decoder "
                         "is missing, pip install python-gdcm (part of the extra medical), or export an uncompressed file "
                         "(dcmdjpeg, gdcmconv --raw)") from error  # fmt: skip


def _dataset(stream: BinaryIO, file: str, header_only: bool = False) -> Any:
    """The elements of a file. Raises MediaError if they cannot be read or are deflated."""
    try:
        import pydicom
    except ModuleNotFoundError as error:
        raise ConfigError(f"{file} is a DICOM file, and pydicom, which reads those, is not installed: pip install pydicom, or "
                          f"{install_extra('medical')}") from error  # fmt: skip
    try:
        with _quiet():
            stream.seek(0)
            if _DEFLATED in stream.read(_META_BYTES):
                raise MediaError(f"{file} is a deflated DICOM file, which is not read here; convert it, for example with dcmtk's "
                                 "dcmconv --write-xfer-little")  # fmt: skip
            stream.seek(0)
            return _with_syntax(pydicom.dcmread(stream, stop_before_pixels=header_only, force=True))
    except MediaError:
        raise
    except Exception as error:  # any bytes may follow the signature
        raise MediaError(f"{file} is a damaged DICOM file: {_first_line(error)}; fetch it again or leave it out") from error


@contextlib.contextmanager
def _elements_of(file: str) -> Iterator[None]:
    """Elements are decoded when they are first asked for, so any of them may turn out to be damaged then."""
    try:
        with _quiet():
            yield
    except PpdetError:
        raise
    except Exception as error:  # pydicom raises what it likes
        raise MediaError(f"{file} is a damaged DICOM file: {_first_line(error)}; fetch it again or leave it out") from error


def _with_syntax(dataset: Any) -> Any:
    """The dataset; one without a header of its own gets the encoding that it was read with, which decoding asks for."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

    if getattr(dataset, "file_meta", None) is None:
        dataset.file_meta = FileMetaDataset()
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit = dataset.original_encoding[0]
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    return dataset


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without pydicom's remarks on files that keep to the standard loosely."""
    with warnings.catch_warnings(), np.errstate(over="ignore"):
        warnings.simplefilter("ignore")
        yield


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _high_byte(colors: np.ndarray) -> np.ndarray:
    return (colors >> 8).astype(np.uint8) if colors.dtype == np.uint16 else colors


def _listed(value: Any) -> list[Any]:
    return [] if value is None else list(value) if hasattr(value, "__iter__") and not isinstance(value, str) else [value]


def _number(value: Any) -> Optional[float]:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None
