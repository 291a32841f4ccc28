"""Several datasets as one."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence

import numpy as np

from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError, DataError
from ppdet.core.logger import get_logger

logger = get_logger(__name__)


@register
class ConcatDataset:
    """The samples of several datasets, one dataset after another; the reader shuffles across all.

    Datasets of keypoints need the same number of keypoints, datasets of boxes the same classes; annotation files, folders and
    image ids are their own. For training: a metric needs the one annotation file of one dataset.

    Args:
        datasets: at least one, as `!KeypointTopDownCocoDataset {...}` or `{name: COCODataSet, ...}`.
        repeat: how many times an epoch gives the samples of each, one whole number per dataset; default once.

    Raises:
        ConfigError: no dataset, or another number of repeats.
    """

    __inject__ = ["datasets"]

    def __init__(self, datasets: Sequence[Any], repeat: Optional[Sequence[int]] = None) -> None:
        self.datasets = list(datasets)
        self.repeat = [1] * len(self.datasets) if repeat is None else [int(times) for times in repeat]
        if not self.datasets or any(not hasattr(dataset, "parse") for dataset in self.datasets):
            raise ConfigError("ConcatDataset.datasets is a list of datasets, each as !Name {...} or {name: Name, ...}")
        if len(self.repeat) != len(self.datasets) or min(self.repeat) < 1:
            raise ConfigError(
                f"ConcatDataset: repeat needs a whole number from 1 on for each of {len(self.datasets)} datasets; given {repeat}"
            )
        self._ends: Optional[np.ndarray] = None

    @property
    def cache(self) -> Any:
        """Whether images are kept in memory, if the datasets agree on it."""
        values = {getattr(dataset, "cache", False) for dataset in self.datasets}
        return values.pop() if len(values) == 1 else "auto"

    @property
    def annotation_file(self) -> str:
        """Path of the one annotation file.

        Raises:
            ConfigError: there are several.
        """
        files = {str(dataset.annotation_file) for dataset in self.datasets}
        if len(files) > 1:
            raise ConfigError(
                f"a metric reads one annotation file, but this ConcatDataset has {len(files)} ({', '.join(sorted(files)[:3])}); "
                "evaluate on one dataset at a time"
            )
        return files.pop()

    @property
    def label_list(self) -> List[str]:
        """Names of the classes, for datasets of boxes."""
        self.parse()
        return list(getattr(self.datasets[0], "label_list", []))

    @property
    def skeleton(self) -> Any:
        """The skeleton of datasets of keypoints, else None."""
        return getattr(self.datasets[0], "skeleton", None)

    @property
    def labelled_keypoints(self) -> Optional[np.ndarray]:
        """(N, K, 3) x, y in source pixels, visibility of all persons; None for datasets of boxes."""
        self.parse()
        keypoints = [getattr(dataset, "labelled_keypoints", None) for dataset in self.datasets]
        known = [each for each in keypoints if each is not None]
        return np.concatenate(known) if len(known) == len(keypoints) else None

    def parse(self) -> ConcatDataset:
        """Read all annotations, once.

        Raises:
            DataError: a file is missing or broken, or the datasets do not fit each other.
        """
        if self._ends is None:
            for dataset in self.datasets:
                dataset.parse()
            for what in ("num_joints", "label_list"):
                _require_same(self.datasets, what)
            lengths = [len(dataset) * times for dataset, times in zip(self.datasets, self.repeat)]
            self._ends = np.cumsum(lengths)
            logger.info("%d samples of %d datasets: %s", sum(lengths), len(lengths), " + ".join(map(str, lengths)))
        return self

    def __len__(self) -> int:
        self.parse()
        assert self._ends is not None
        return int(self._ends[-1])

    def image_path(self, index: int) -> str:
        """Image file of a sample."""
        number, inner = self._place(index)
        return str(self.datasets[number].image_path(inner))

    def describe(self, index: int) -> Any:
        """The sample without its pixels."""
        number, inner = self._place(index)
        sample = self.datasets[number].describe(inner)
        sample.index = int(index)
        return sample

    def load(self, index: int, rng: np.random.Generator) -> Any:
        """The sample with its pixels.

        Raises:
            MediaError, DataError: the image cannot be read or has another size than annotated.
        """
        number, inner = self._place(index)
        sample = self.datasets[number].load(inner, rng)
        sample.index = int(index)
        return sample

    def preload(self, indices: Optional[np.ndarray] = None, share: float = 1.0) -> bool:
        """Read the images of these samples (default: all) into memory, dataset by dataset, as far as `cache` allows."""
        chosen: List[Optional[np.ndarray]] = [None] * len(self.datasets)
        if indices is not None:
            places = np.array([self._place(int(index)) for index in indices], np.int64).reshape(-1, 2)
            chosen = [places[places[:, 0] == number, 1] for number in range(len(self.datasets))]
        return min([dataset.preload(rows, share) for dataset, rows in zip(self.datasets, chosen)])

    def _place(self, index: int) -> tuple[int, int]:
        """Which dataset, and which of its samples."""
        total = len(self)
        assert self._ends is not None
        if not 0 <= index < total:
            raise IndexError(f"sample {index} of {total}")
        number = int(np.searchsorted(self._ends, index, side="right"))
        start = int(self._ends[number - 1]) if number else 0
        return number, (int(index) - start) % len(self.datasets[number])

    def __getitem__(self, index: int) -> Any:
        return self.load(index, np.random.default_rng([0, 0, int(index)]))


def _require_same(datasets: Sequence[Any], what: str) -> None:
    values = [getattr(dataset, what, None) for dataset in datasets]
    if any(value != values[0] for value in values):
        shown = "; ".join(f"{getattr(d, 'annotation_file', type(d).__name__)}: {value}" for d, value in zip(datasets, values))
        raise DataError(f"ConcatDataset: its datasets have different {what} ({shown}); make them agree")
