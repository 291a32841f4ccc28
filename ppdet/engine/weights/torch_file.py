"""Opens a PyTorch file: the zip archive of PyTorch 1.6 and later, or the sequence of pickles of earlier versions."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Tuple

import numpy as np

from ppdet.core.errors import CheckpointError
from ppdet.engine.weights.pickle_limits import RefusedPickleError
from ppdet.engine.weights.torch_pickle import TorchUnpickler
from ppdet.engine.weights.torch_tensor import Storage, StorageKind, TorchTensor

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
"""First pickle in files of PyTorch before 1.6."""
_PROTOCOL = 1001
_CACHED_STORAGES = 4  # only storages that several tensors share
_ROOM, _ROOM_PER_BYTE = 1 << 28, 8
"""Limit of a file's tensors in memory: 256 MiB plus 8 bytes per byte of the file. Views of a storage take no space in the file,
so a thousand of them could need a thousand times its size."""


class TorchFile:
    """A PyTorch file, whose tensors are read on demand.

    Args:
        path: a ``.pth``, ``.pth.tar``, ``.pt`` file.

    Attributes:
        path: the file.
        format: "zip" or "legacy".
        content: the saved object, with `TorchTensor` in place of tensors.

    Raises:
        CheckpointError: the file is missing, damaged, no PyTorch file, or contains code (which is not run).
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(os.path.expanduser(str(path)))
        if not self.path.is_file():
            raise CheckpointError(f"there is no weight file {self.path}")
        if self.path.stat().st_size == 0:
            raise CheckpointError(f"{self.path} is empty; copy or download it again")
        with open(self.path, "rb") as file:
            head = file.read(512)
        self.format = "zip" if head[:2] == b"PK" else "legacy"
        self.big_endian = False
        _refuse_other_formats(self.path, head)
        opened = self._guarded(self._open_zip if self.format == "zip" else self._open_legacy)
        self.content, read = opened
        self._counted: Dict[int, TorchTensor] = {}
        self._room = _ROOM + _ROOM_PER_BYTE * self.path.stat().st_size
        self._read: Callable[[str, StorageKind], bytes] = lru_cache(_CACHED_STORAGES)(read)

    def array(self, tensor: TorchTensor) -> np.ndarray:
        """Read a tensor.

        Raises:
            CheckpointError: the file is damaged, or the tensor has a form that PyTorch does not write.
        """
        if id(tensor) not in self._counted:
            self._counted[id(tensor)] = tensor
            self._room -= tensor.nbytes
        if self._room < 0:
            raise CheckpointError(
                f"{self.path} of {self.path.stat().st_size} bytes holds tensors that repeat their numbers until they fill the "
                "memory, which weights do not do; if you trust it, load it with PyTorch and save contiguous copies"
            )
        return self._guarded(lambda: tensor.array(self._storage, self.big_endian))

    def _storage(self, storage: Storage) -> bytes:
        data = self._read(storage.key, storage.kind)
        first = storage.first * storage.kind.itemsize
        part = data[first : first + storage.count * storage.kind.itemsize]
        if len(part) != storage.count * storage.kind.itemsize:
            raise RefusedPickleError(f"has {len(part)} bytes for a storage of {storage.count} numbers")
        return part

    def _guarded(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except CheckpointError:
            raise
        except RefusedPickleError as error:
            raise CheckpointError(
                f"{self.path} {error}. Nothing of the file was executed. Whole models (torch.save(model)) and files with "
                "foreign objects cannot be converted: if you trust it, load it with PyTorch and save the weights alone, "
                "torch.save(model.state_dict(), ...)"
            ) from error
        except Exception as error:  # damaged pickles and archives raise nearly anything
            raise CheckpointError(
                f"{self.path} is damaged or was not written by torch.save ({type(error).__name__}: {error}); a truncated "
                "download looks like this: fetch it again"
            ) from error

    # ---------------------------------------------------------------- zip

    def _open_zip(self) -> Tuple[Any, Callable[[str, StorageKind], bytes]]:
        archive = zipfile.ZipFile(self.path)
        names = archive.namelist()
        pickles = [name for name in names if name.rsplit("/", 1)[-1] == "data.pkl"]
        if any(name.rsplit("/", 1)[-1] == "constants.pkl" for name in names):
            raise CheckpointError(
                f"{self.path} is a TorchScript program, not a state dict; get the checkpoint it was made from, or load it with "
                "torch.jit.load and save its state_dict()"
            )
        if len(pickles) != 1:
            raise CheckpointError(f"{self.path} is a zip archive, but not one of torch.save: it has no data.pkl")
        root = pickles[0][: -len("data.pkl")]
        self.big_endian = f"{root}byteorder" in names and _member(archive, f"{root}byteorder").strip() == b"big"
        content = TorchUnpickler(io.BytesIO(_member(archive, pickles[0]))).load()
        return content, lambda key, kind: _member(archive, f"{root}data/{key}")

    # ---------------------------------------------------------------- before 1.6

    def _open_legacy(self) -> Tuple[Any, Callable[[str, StorageKind], bytes]]:
        with open(self.path, "rb") as file:
            if TorchUnpickler(file).load() != LEGACY_MAGIC:
                raise CheckpointError(f"{self.path} is a pickle, but not one of torch.save. A .pdparams file needs no conversion")
            version, system = TorchUnpickler(file).load(), TorchUnpickler(file).load()
            if version != _PROTOCOL or not isinstance(system, dict):
                raise CheckpointError(f"{self.path}: version {version!r} of PyTorch's file format is not known")
            self.big_endian = not system.get("little_endian", True)
            unpickler = TorchUnpickler(file)
            content = unpickler.load()
            places = self._places(file, TorchUnpickler(file).load(), unpickler.kinds)
        return content, lambda key, kind: self._slice(*places[key])

    def _places(self, file: BinaryIO, keys: Any, kinds: Dict[str, StorageKind]) -> Dict[str, Tuple[int, int]]:
        """Position and length in bytes of every storage: each is a count followed by its values."""
        places: Dict[str, Tuple[int, int]] = {}
        for key in keys:
            (count,) = struct.unpack(">q" if self.big_endian else "<q", file.read(8))
            places[key] = (file.tell(), count * kinds[key].itemsize)
            file.seek(places[key][1], os.SEEK_CUR)
        missing = sorted(set(kinds) - set(places))
        if missing or file.tell() > self.path.stat().st_size:
            raise EOFError(f"the file ends before its numbers do{': ' + missing[0] if missing else ''}")
        return places

    def _slice(self, start: int, length: int) -> bytes:
        with open(self.path, "rb") as file:
            file.seek(start)
            return file.read(length)


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Read an uncompressed member, as torch.save writes them, which is never larger than the file."""
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED:
        raise RefusedPickleError(f"has a compressed {name}, which torch.save does not write")
    return archive.read(info)


def _refuse_other_formats(path: Path, head: bytes) -> None:
    if head[257:262] == b"ustar":
        raise CheckpointError(
            f"{path} is a tar archive: either of PyTorch 0.1, or of files to be unpacked first. (.pth.tar of the authors are not "
            "tar archives despite their name)"
        )
    if head[:3] == b"\x1f\x8b\x08":
        raise CheckpointError(f"{path} is compressed by gzip; unpack it first")
    if head[:15].lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise CheckpointError(f"{path} is a web page, not a weight file: the download needs a login or a confirmation")
    if head[:8] == b"\x89HDF\r\n\x1a\n":
        raise CheckpointError(f"{path} is an HDF5 file (Keras, not PyTorch)")
