"""The common part of all writers of poses."""
from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ppdet.inference.formats.options import FormatOptions
from ppdet.inference.formats.poses import Poses
from ppdet.inference.formats.whole_output import WholeOutput


class PoseWriter(WholeOutput):
    """Writes results one by one; the file appears whole, see `WholeOutput`.

    Args:
        path: the file.
        options: choices of the format.
    """

    def __init__(self, path: str | Path, options: FormatOptions | None = None) -> None:
        super().__init__(path)
        self.options = options or FormatOptions()

    def add(self, result: Poses, video: str | None = None) -> None:
        """Append one image or frame.

        Args:
            result: its people.
            video: name of the video, if the file has several sources.

        Raises:
            MediaError: the file cannot be written.
        """
        try:
            self._write(result, video)
        except OSError as error:
            raise self._failed(error) from error
        self.count += 1

    @abstractmethod
    def _write(self, result: Poses, video: str | None) -> None:
        """Write one image or frame."""

    def rank_by(self, ranking: Callable[[Any], np.ndarray]) -> None:
        """Set the scores by which people are ranked, see `FormatOptions.ranking`; most formats have none."""
        self.options = replace(self.options, ranking=ranking)

    def begin_video(self, digest: str | None) -> None:
        """Take note of the digest of the video file whose frames come next, None for none; only JSON lines record it."""

    def expect(self, ids: Mapping[str, int]) -> None:
        """Take note of the `image_id` of each image that will come, by its path; most formats have no such ids."""
