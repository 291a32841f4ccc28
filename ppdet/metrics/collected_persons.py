"""The base of the metrics of top-down models: a table of persons, gathered over processes."""

from __future__ import annotations

from typing import Mapping, Sequence

import numpy as np

from ppdet.metrics.person_instances import PersonInstances
from ppdet.skeletons import Skeleton


class CollectedPersons:
    """A metric with `persons`, a `PersonInstances` table that its `update` fills; `with_truth` as there."""

    skeleton: Skeleton
    with_truth = False

    def reset(self) -> None:
        """Forget all collected predictions."""
        self.persons = PersonInstances(self.skeleton.num_keypoints, self.with_truth)

    def state(self) -> dict[str, np.ndarray]:
        """What was collected, as arrays of numbers for another process; each metric defines its image_id."""
        return self.persons.arrays()

    def merge(self, states: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Take in the `state()` of other processes; samples already present (by index) are dropped."""
        for state in states:
            if len(state["image_id"]):
                self.persons.add(state)
