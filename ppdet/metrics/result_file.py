"""Write COCO result entries as JSON, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Sequence

from ppdet.annotations.values import as_id
from ppdet.core.errors import DataError
from ppdet.core.files import atomic_write
from ppdet.core.json_file import read_json
from ppdet.core.logger import get_logger

logger = get_logger(__name__)


def write_results(path: str | Path, default_name: str, results: Sequence[dict[str, Any]]) -> Path:
    """Write `results` to `path`, or to `path/default_name` when `path` does not end in .json.

    Returns:
        The file that was written.

    Raises:
        DataError: the folder cannot be made or written to.
    """
    path = Path(path)
    if path.suffix != ".json":
        path = path / default_name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, "w") as file:
            json.dump(list(results), file)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}. Choose another folder.") from error
    logger.info("%d predictions written to %s", len(results), path)
    return path


def read_results(path: str | Path, default_name: str) -> list[dict[str, Any]]:
    """Read what `write_results` wrote.

    Raises:
        DataError: no such file, or no list of COCO result entries.
    """
    path = Path(path)
    if path.suffix != ".json":
        path = path / default_name
    results = read_json(path, "result file", "evaluate first, or give its folder as --output_eval")
    if not isinstance(results, list) or not all(isinstance(e, dict) and as_id(e.get("image_id")) is not None for e in results):
        raise DataError(f"{path} is not a list of COCO results with an image_id each.")
    return results
