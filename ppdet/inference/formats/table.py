"""The formats in which poses are written, and which of them a file's suffix or a flag means. Imports nothing heavy."""
from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ppdet.core.errors import ConfigError
from ppdet.core.extras import install_extra
from ppdet.inference.formats.options import FormatOptions

if TYPE_CHECKING:
    from ppdet.inference.formats.pose_writer import PoseWriter


@dataclass(frozen=True)
class PoseFormat:
    """A format of poses.

    Attributes:
        name: value of `--format`.
        title: for help texts.
        suffix: of its files. Formats that share one with an earlier format are chosen by name only.
        home: module and class of its writer, below `ppdet.inference.formats`.
        others: further suffixes that mean it.
        is_folder: writes a folder of files.
        to_stream: may be written to a pipe line by line.
        one_source: a file has room for one video, or for images alone.
        package: what it needs besides the base package; "" for nothing.
    """

    name: str
    title: str
    suffix: str
    home: tuple[str, str]
    others: tuple[str, ...] = ()
    is_folder: bool = False
    to_stream: bool = True
    one_source: bool = False
    package: str = ""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """All its suffixes."""
        return (self.suffix, *self.others)


FORMATS = {
    each.name: each
    for each in (
        PoseFormat("json", "a JSON list, keypoints by name", ".json", ("json_results", "NamedJsonWriter")),
        PoseFormat("jsonl", "JSON Lines: one image or frame per line", ".jsonl", ("json_lines", "JsonLinesWriter"), (".ndjson",)),
        PoseFormat("csv", "a table, one row per person", ".csv", ("csv_table", "CsvWriter")),
        PoseFormat("parquet", "the same table as Apache Parquet", ".parquet", ("parquet", "ParquetWriter"), (".pq",),
                   to_stream=False, package="pyarrow"),
        PoseFormat("coco", "COCO keypoint results", ".coco.json", ("coco", "CocoWriter")),
        PoseFormat("openpose", "a folder with OpenPose's JSON of each frame", ".openpose", ("openpose", "OpenPoseWriter"),
                   is_folder=True, to_stream=False),
        PoseFormat("trc", "markers over time for OpenSim", ".trc", ("markers", "TrcWriter"), to_stream=False, one_source=True),
        PoseFormat("c3d_csv", "markers over time as CSV, as programs for C3D export and import it", ".c3d.csv",
                   ("markers", "C3dCsvWriter"), to_stream=False, one_source=True),
    )
}  # fmt: skip
"""Name -> format."""


def format_named(name: str) -> PoseFormat:
    """The format of a name.

    Raises:
        ConfigError: there is none; the message lists all.
    """
    known = name.strip().lower().replace("-", "_")
    if known not in FORMATS:
        raise ConfigError(f"{name!r} is no format of poses: give one of {', '.join(FORMATS)}")
    return FORMATS[known]


def format_of(path: str | Path, name: str | None = None) -> PoseFormat:
    """The format that a file is to have.

    Args:
        path: the file.
        name: of the format; None decides by the suffix.

    Raises:
        ConfigError: no such format, or a suffix that says none.
    """
    if name is not None:
        return format_named(name)
    text = Path(path).name.lower()
    endings = [(suffix, each) for each in FORMATS.values() for suffix in each.suffixes if text.endswith(suffix)]
    if not endings:
        known = ", ".join(suffix for each in FORMATS.values() for suffix in each.suffixes)
        raise ConfigError(f"cannot write poses as {path}: the suffix must be one of {known}; or name the format")
    return max(endings, key=lambda ending: len(ending[0]))[1]


def open_writer(path: str | Path, name: str | None = None, options: FormatOptions | None = None) -> PoseWriter:
    """A writer of poses, to be used as a context manager.

    Args:
        path: the file, or the folder of a format that writes several files.
        name: of the format; None decides by the suffix.
        options: choices of the format.

    Raises:
        ConfigError: an unknown format, or a package that it needs is missing.
    """
    chosen = format_of(path, name)
    require(chosen)
    module, title = chosen.home
    kind: Any = getattr(import_module(f"ppdet.inference.formats.{module}"), title)
    return kind(path, options or FormatOptions())


def require(chosen: PoseFormat) -> None:
    """Check that the packages of a format are installed.

    Raises:
        ConfigError: one is missing.
    """
    if chosen.package and find_spec(chosen.package) is None:
        raise ConfigError(f"the format {chosen.name} needs {chosen.package}, which is not installed: pip install "
                          f"{chosen.package}, or {install_extra('formats')}; or choose another format")
