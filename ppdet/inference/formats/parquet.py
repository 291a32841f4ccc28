"""The table of people as Apache Parquet, read by pandas, Polars, DuckDB and Spark. Needs pyarrow."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ppdet.inference.formats.columns import file_columns, file_rows
from ppdet.inference.formats.json_lines import SCHEMA_ID
from ppdet.inference.formats.pose_writer import PoseWriter
from ppdet.inference.formats.poses import Poses
from ppdet.skeletons import Skeleton

ROWS_PER_GROUP = 4096
"""Rows that are kept in memory and written together."""
METADATA_KEY = b"ppdet"


class ParquetWriter(PoseWriter):
    """Writes row groups, so that memory does not grow with the length of a video.

    The file's metadata has the schema's name and version, the skeleton and the number of images or frames, those without people
    included, as JSON below the key "ppdet".
    """

    def _open(self, temporary: Path) -> None:
        self._stream = self._stack.enter_context(temporary.open("wb"))
        self._writer: Any = None
        self._skeleton: Skeleton | None = None
        self._waiting: list[dict[str, Any]] = []

    def _write(self, result: Poses, video: str | None) -> None:
        self._skeleton = self._skeleton or result.skeleton
        self._waiting += file_rows(result, video)
        if len(self._waiting) >= ROWS_PER_GROUP:
            self._write_group()

    def _write_group(self) -> None:
        import pyarrow
        from pyarrow import parquet

        if self._writer is None:
            types = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float32(), bool: pyarrow.bool_()}
            fields = [(name, types[kind]) for name, kind in file_columns(self._skeleton).items()]
            wide = {"timestamp_ms": pyarrow.float64()}
            self._schema = pyarrow.schema([(name, wide.get(name, kind)) for name, kind in fields])
            self._writer = parquet.ParquetWriter(self._stream, self._schema, compression="zstd")
        if self._waiting:
            self._writer.write_table(pyarrow.Table.from_pylist(self._waiting, schema=self._schema))
        self._waiting = []

    def _finish(self) -> None:
        self._write_group()
        about = {"schema": SCHEMA_ID, "skeleton": None if self._skeleton is None else self._skeleton.name, "frames": self.count}
        self._writer.add_key_value_metadata({METADATA_KEY: json.dumps(about).encode()})
        self._writer.close()
        self._stream.flush()
