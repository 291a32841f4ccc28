"""COCO result files, written atomically, the base class of metrics on result entries, and how their figures are shown."""

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


class ResultMetric:
    """Base of metrics on result entries. Subclasses define `results` and `score`.

    Attributes:
        result_file: name of the file in `output_eval`.
        output_eval: folder for it; None writes only through `save`.
        save_prediction_only: write the predictions and skip the evaluation.
    """

    result_file: str
    output_eval: Path | None
    save_prediction_only: bool

    def results(self) -> list[dict[str, Any]]:
        """COCO result entries of the collected predictions."""
        raise TypeError(f"{type(self).__name__} must define results")

    def score(self, results: Sequence[dict[str, Any]]) -> dict[str, float]:
        """The named figures of result entries, such as those of an older result file."""
        raise TypeError(f"{type(self).__name__} must define score")

    def compute(self) -> dict[str, float]:
        """Evaluate the collected predictions; returns named figures, AP first.

        With `output_eval` the result file is written as well. With `save_prediction_only` only the file is written, and the
        dict is empty.
        """
        results = self.results()
        if self.output_eval is not None:
            write_results(self.output_eval, self.result_file, results)
        if self.save_prediction_only:
            logger.info("save_prediction_only: evaluation skipped, no AP")
            return {}
        return self.score(results)

    def save(self, path: str | Path) -> Path:
        """Write the result file (into `path` if it is a folder) and return its path."""
        return write_results(path, self.result_file, self.results())


def write_results(path: str | Path, default_name: str, results: Sequence[dict[str, Any]]) -> Path:
    """Write `results` to `path`, or to `path/default_name` when `path` does not end in .json.

    Returns:
        The file that was written.

    Raises:
        DataError: the folder cannot be created or written to.
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
    """Read a file of `write_results`.

    Raises:
        DataError: the file is missing, or not a list of COCO result entries.
    """
    path = Path(path)
    if path.suffix != ".json":
        path = path / default_name
    results = read_json(path, "result file", "evaluate first, or give its folder as --output_eval")
    if not isinstance(results, list) or not all(isinstance(e, dict) and as_id(e.get("image_id")) is not None for e in results):
        raise DataError(f"{path} is not a list of COCO results with an image_id each.")
    return results


def markdown_row(header: Sequence[str], values: Sequence[float]) -> str:
    """A Markdown table with a single row: header, rule, values with three decimals."""
    return "\n".join(
        (
            "| " + " | ".join(header) + " |",
            "|" + "---|" * len(header),
            "| " + " | ".join(f"{value:.3f}" for value in values) + " |",
        )
    )
