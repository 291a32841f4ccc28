"""Markers over time, for biomechanics: TRC (OpenSim) and CSV as programs for C3D export it (Vicon Nexus' trajectories).

Both have one row per frame and a column for each marker and axis, and state the number of frames and markers first. Who will
appear is known at the end only, so the poses wait in a file until then, and memory does not grow with the length of a video.

X points right, Y up from the bottom row of the image, Z is 0. A keypoint below the threshold is a gap.

Legend: K keypoints.
"""
from __future__ import annotations

import struct
import tempfile
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from ppdet.core.errors import ConfigError
from ppdet.inference.formats.pose_writer import PoseWriter
from ppdet.inference.formats.poses import Poses, identities
from ppdet.skeletons import Skeleton

AXES = ("X", "Y", "Z")
_FRAME = struct.Struct("<qdi")  # number, seconds, people


class MarkerWriter(PoseWriter):
    """Collects trajectories; subclasses write them as text.

    Several people stand side by side: the markers of person 3 are `p3_nose` and so on. A single person's markers have the
    skeleton's names alone.

    Raises:
        ConfigError: frames of several videos, or images after a video: one file has one time axis.
    """

    def _open(self, temporary: Path) -> None:
        self._out = self._stack.enter_context(temporary.open("w", encoding="utf-8", newline="\n"))
        self._spool: IO[bytes] = self._stack.enter_context(tempfile.TemporaryFile(dir=temporary.parent))  # noqa: SIM115
        self._skeleton: Skeleton | None = None
        self._people: dict[int, None] = {}
        self._frames = 0
        self._first = self._last = (0, 0.0)

    def _write(self, result: Poses, video: str | None) -> None:
        number = self.count + 1 if result.frame_id is None else result.frame_id
        if self._frames and number <= self._last[0]:
            raise ConfigError(f"{self.path}: markers have one time axis, and frame {number} comes after frame {self._last[0]}: "
                              "write each video into its own file")
        seconds = self._seconds(number, result.timestamp_ms)
        self._skeleton = self._skeleton or result.skeleton
        self._first = self._first if self._frames else (number, seconds)
        self._last = (number, seconds)
        self._frames += 1
        self._spool.write(_FRAME.pack(number, seconds, len(result)))
        for identity, xyz in zip(identities(result), self._positions(result)):
            self._people.setdefault(identity)
            self._spool.write(struct.pack("<q", identity) + xyz.tobytes())

    def _seconds(self, number: int, timestamp_ms: float | None) -> float:
        """Time of a frame; of one without a time stamp, as one that did not decode, what the frames before it suggest."""
        if timestamp_ms is not None:
            return timestamp_ms / 1000.0
        if not self._frames:
            return (number - 1) / self.options.fps
        return self._last[1] + (number - self._last[0]) / self.rate

    def _positions(self, result: Poses) -> np.ndarray:
        """(N, K, 3) float64; NaN for gaps."""
        scale = self.options.mm_per_pixel or 1.0
        xyz = np.zeros((*result.keypoints.shape[:2], 3))
        xyz[..., 0] = result.keypoints[..., 0] * scale
        xyz[..., 1] = (result.image_wh[1] - 1 - result.keypoints[..., 1].astype(np.float64)) * scale
        xyz[result.scores < self.options.threshold] = np.nan
        return xyz

    @property
    def rate(self) -> float:
        """Frames per second by the time stamps; the option `fps` if there is only one frame."""
        frames, seconds = (last - first for last, first in zip(self._last, self._first))
        return frames / seconds if frames > 0 and seconds > 0 else self.options.fps

    @property
    def units(self) -> str:
        """Unit of the positions."""
        return "px" if self.options.mm_per_pixel is None else "mm"

    def _markers(self) -> list[str]:
        names = [] if self._skeleton is None else list(self._skeleton.names)
        if len(self._people) <= 1:
            return names
        return [f"p{identity}_{name}" for identity in sorted(self._people) for name in names]

    def _rows(self) -> Iterator[tuple[int, float, np.ndarray]]:
        """Number and seconds of each frame, and (people * K * 3,) positions, NaN for gaps and people who are not there."""
        self._spool.seek(0)
        order = {identity: place for place, identity in enumerate(sorted(self._people))}
        count = 0 if self._skeleton is None else self._skeleton.num_keypoints
        size = count * 3 * 8
        for _ in range(self._frames):
            number, seconds, people = _FRAME.unpack(self._spool.read(_FRAME.size))
            row = np.full((max(len(order), 1), count * 3), np.nan)
            for _ in range(people):
                (identity,) = struct.unpack("<q", self._spool.read(8))
                row[order[identity]] = np.frombuffer(self._spool.read(size))
            yield number, seconds, row.reshape(-1)

    def _finish(self) -> None:
        self._write_text(self._markers())
        self._out.flush()

    @abstractmethod
    def _write_text(self, markers: list[str]) -> None:
        """Write header and rows to `self._out`."""


class TrcWriter(MarkerWriter):
    """TRC, as OpenSim reads it; gaps are NaN."""

    def _write_text(self, markers: list[str]) -> None:
        rate, write = f"{self.rate:.6g}", self._out.write
        write(f"PathFileType\t4\t(X/Y/Z)\t{self.path.name}\n")
        write("DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames\n")
        first = self._first[0] if self._frames else 1
        write(f"{rate}\t{rate}\t{self._frames}\t{len(markers)}\t{self.units}\t{rate}\t{first}\t{self._frames}\n")
        write("Frame#\tTime\t" + "\t\t\t".join(markers) + "\n")
        write("\t\t" + "\t".join(f"{axis}{place}" for place in range(1, len(markers) + 1) for axis in AXES) + "\n\n")
        for number, seconds, row in self._rows():
            values = "\t".join("NaN" if np.isnan(value) else f"{value:.3f}" for value in row)
            write(f"{number}\t{seconds:.6f}\t{values}\n")


class C3dCsvWriter(MarkerWriter):
    """Trajectories as CSV: marker names above X, Y, Z, units below; gaps are empty."""

    def _write_text(self, markers: list[str]) -> None:
        write = self._out.write
        write(f"Trajectories\n{self.rate:.6g}\n")
        write(",," + ",,,".join(markers) + (",," if markers else "") + "\n")
        write("Frame,Sub Frame," + ",".join(axis for _ in markers for axis in AXES) + "\n")
        write(",," + ",".join(self.units for _ in markers for _ in AXES) + "\n")
        for number, _, row in self._rows():
            values = ",".join("" if np.isnan(value) else f"{value:.3f}" for value in row)
            write(f"{number},0,{values}\n")
