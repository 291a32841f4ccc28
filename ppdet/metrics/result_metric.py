"""The base of metrics of COCO result entries: writes the file, and scores any list of entries, new or old."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Sequence

from ppdet.core.logger import get_logger
from ppdet.metrics.result_file import write_results

logger = get_logger(__name__)


class ResultMetric:
    """Subclasses give `results` of what they collected and `score` lists of them.

    Attributes:
        result_file: name of the file in `output_eval`.
        output_eval: folder for it; None writes only through `save`.
        save_prediction_only: write the predictions and skip the evaluation.
    """

    result_file: str
    output_eval: Path | None
    save_prediction_only: bool

    def results(self) -> list[dict[str, Any]]:
        """COCO result entries of what was collected."""
        raise TypeError(f"{type(self).__name__} must define results")

    def score(self, results: Sequence[dict[str, Any]]) -> dict[str, float]:
        """The named figures of finished result entries, such as those of an older result file."""
        raise TypeError(f"{type(self).__name__} must define score")

    def compute(self) -> dict[str, float]:
        """Evaluate what was collected: the named figures, AP first.

        With `output_eval` the result file is written as well. With `save_prediction_only` that is all that happens, and
        the dict is empty.
        """
        results = self.results()
        if self.output_eval is not None:
            write_results(self.output_eval, self.result_file, results)
        if self.save_prediction_only:
            logger.info("save_prediction_only: evaluation skipped, no AP")
            return {}
        return self.score(results)

    def save(self, path: str | Path) -> Path:
        """Write the result file (into `path` if it is a folder) and return where it is."""
        return write_results(path, self.result_file, self.results())
