"""Writes small DICOM files with pydicom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom")
DX = "1.2.840.10008.5.1.4.1.1.1.1"


def write_dicom(path: Path, pixels: np.ndarray | None, bits: int = 12, preamble: bool = True, **elements: Any) -> Path:
    """A digital radiograph of (H, W) or (H, W, 3) pixels.

    Args:
        path: the file.
        pixels: integers; None for a file without an image.
        bits: BitsStored.
        preamble: write the 128 bytes and DICM of today's files.
        **elements: keyword -> value, which replace the defaults; None leaves one out.
    """
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DX
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[path.name])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if preamble else ImplicitVRLittleEndian
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = DX, meta.MediaStorageSOPInstanceUID
    if pixels is not None:
        grey = pixels.ndim == 2
        data.SamplesPerPixel = 1 if grey else 3
        data.PhotometricInterpretation = "MONOCHROME2" if grey else "RGB"
        data.Rows, data.Columns = pixels.shape[:2]
        data.BitsAllocated = 8 * pixels.itemsize
        data.BitsStored, data.HighBit = bits, bits - 1
        data.PixelRepresentation = int(pixels.dtype.kind == "i")
        if not grey:
            data.PlanarConfiguration = 0
        data.PixelData = pixels.tobytes()
    for keyword, value in elements.items():
        if value is None:
            delattr(data, keyword)
        else:
            setattr(data, keyword, value)
    if preamble:
        data.file_meta = meta
        pydicom.dcmwrite(path, data, enforce_file_format=True)
    else:
        pydicom.dcmwrite(path, data, implicit_vr=True, little_endian=True)
    return path


def compress_dicom(path: Path, syntax: str, output: Path) -> Path:
    """The file in another encoding, a name of `gdcm.TransferSyntax`."""
    import gdcm

    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(path))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
    change.SetInput(reader.GetImage())
    assert change.Change(), f"gdcm cannot encode {path.name} as {syntax}"
    writer.SetFileName(str(output))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return output
