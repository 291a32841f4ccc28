"""Makes a batch from sample numbers, in the main process or in a worker, with the same result."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from ppdet.core.errors import DataError, MediaError
from ppdet.core.seeding import sample_rng
from ppdet.data.samples.collate import collate

RANDOM_REPLACEMENTS = 20
"""Tries at random before all samples are gone through in order for one that can be read."""

Bad = List[Tuple[str, str]]


class BatchMaker:
    """Loads, transforms and stacks samples.

    Random numbers of a sample depend on (seed, epoch, index) alone, so neither the number of workers nor a resumed run
    changes them. Trailing sample transforms that know `apply_batch` (targets, normalisation) are run once on the
    stacked batch: the result is the same and an order of magnitude cheaper.

    Args:
        dataset: has `load(index, rng)`, `image_path(index)` and a length.
        replace_bad: training replaces a sample that cannot be read by another; evaluation leaves it out. Both are
            reported under "bad" as (path, reason).
        mixing_epochs: transforms that need further samples (those with a number of `partners`) act in this many first epochs,
            by the transform's `epochs_key`; 0 for all, -1 for none.
    """

    def __init__(
        self,
        dataset: Any,
        sample_transforms: Sequence[Any],
        batch_transforms: Sequence[Any],
        seed: int = 0,
        replace_bad: bool = False,
        mixing_epochs: Optional[Mapping[str, int]] = None,
    ) -> None:
        self.mixing_epochs = dict(mixing_epochs or {})
        self.dataset, self.seed, self.replace_bad = dataset, seed, replace_bad
        self.on_samples = [t for t in batch_transforms if hasattr(t, "apply_samples")]
        per_sample, moved = list(sample_transforms), []  # type: Tuple[List[Any], List[Any]]
        while not self.on_samples and per_sample and hasattr(per_sample[-1], "apply_batch"):
            moved.insert(0, per_sample.pop())
        self.per_sample = per_sample
        self.on_batch = moved + [t for t in batch_transforms if not hasattr(t, "apply_samples")]
        self._known_bad: Dict[str, str] = {}

    @property
    def size_spread(self) -> float:
        """How many times larger than another a batch of as many samples can be."""
        return float(np.prod([getattr(transform, "size_spread", 1.0) for transform in self.on_samples]))

    def make(self, epoch: int, indices: Iterable[int]) -> Dict[str, Any]:
        """The batch; `bad` is there only if something was. Without any readable sample it has nothing but `bad`.

        Raises:
            DataError: training, and not one sample of the dataset can be read.
        """
        samples, bad = [], []  # type: Tuple[List[Any], Bad]
        for index in indices:
            sample = self._try(epoch, int(index), bad)
            if sample is None and self.replace_bad:
                sample = self._replacement(epoch, int(index), bad)
            if sample is not None:
                samples.append(sample)
        batch: Dict[str, Any] = self._stack(epoch, samples) if samples else {}
        if bad:
            batch["bad"] = list(dict(bad).items())
        return batch

    def _stack(self, epoch: int, samples: List[Any]) -> Dict[str, Any]:
        rng = np.random.default_rng([self.seed, epoch, int(samples[0].index), 2])
        for transform in self.on_samples:
            samples = transform.apply_samples(samples, rng)
        batch = collate(samples)
        if "gt_boxes" in batch:
            batch["epoch"] = epoch  # a detector's assignment changes with it
        for transform in self.on_batch:
            batch = transform.apply_batch(batch)
        return batch

    def _try(self, epoch: int, index: int, bad: Bad) -> Optional[Any]:
        path = self.dataset.image_path(index)
        if path not in self._known_bad:
            rng = sample_rng(self.seed, epoch, index)
            try:
                sample = self.dataset.load(index, rng)
            except (MediaError, DataError) as error:
                self._known_bad[path] = str(error)
            else:
                return self._transformed(sample, epoch, rng)
        bad.append((path, self._known_bad[path]))
        return None

    def _transformed(self, sample: Any, epoch: int, rng: np.random.Generator) -> Any:
        for transform in self.per_sample:
            if not hasattr(transform, "partners"):
                sample = transform(sample, rng)
            elif self._mixes(transform, epoch):
                sample = transform.mix(sample, self._partners(transform.partners, rng), rng)
        return sample

    def _mixes(self, transform: Any, epoch: int) -> bool:
        epochs = self.mixing_epochs.get(getattr(transform, "epochs_key", ""), 0)
        return epochs == 0 or epoch < epochs

    def _partners(self, count: int, rng: np.random.Generator) -> List[Any]:
        """As many other samples as can be read of `count` chosen at random."""
        partners = []
        for index in rng.integers(len(self.dataset), size=count).tolist():
            path = self.dataset.image_path(index)
            if path not in self._known_bad:
                try:
                    partners.append(self.dataset.load(index, rng))
                except (MediaError, DataError) as error:
                    self._known_bad[path] = str(error)
        return partners

    def _replacement(self, epoch: int, index: int, bad: Bad) -> Any:
        total = len(self.dataset)
        candidates = np.random.default_rng([self.seed, epoch, index, 1]).integers(total, size=RANDOM_REPLACEMENTS).tolist()
        for candidate in candidates + [(index + step) % total for step in range(total)]:
            sample = self._try(epoch, candidate, bad)
            if sample is not None:
                return sample
        path, reason = next(iter(self._known_bad.items()))
        raise DataError(f"none of the {total} samples can be read, e.g. {path}: {reason}; check dataset_dir and the images in it")
