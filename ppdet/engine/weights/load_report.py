"""The result of loading a weight file: which tensors were loaded, and which were not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Tuple

Shape = Tuple[int, ...]
LISTED = 5


@dataclass(frozen=True)
class ShapeMismatch:
    """A tensor whose key matches but whose shape does not."""

    model_key: str
    model_shape: Shape
    file_key: str
    file_shape: Shape

    def __str__(self) -> str:
        return f"{self.model_key}: {list(self.file_shape)} in the file, {list(self.model_shape)} in the model"


@dataclass(frozen=True)
class LoadReport:
    """Result of `load_pretrained`.

    Attributes:
        path: the file that was read.
        loaded: model key -> file key of the loaded tensors.
        shape_mismatches: tensors with another shape in the file; the model keeps its values.
        unmatched_model_keys: tensors that are not in the file; the model keeps its values.
        unmatched_file_keys: tensors of the file that the model does not have.
    """

    path: str
    loaded: Dict[str, str] = field(default_factory=dict)
    shape_mismatches: List[ShapeMismatch] = field(default_factory=list)
    unmatched_model_keys: List[str] = field(default_factory=list)
    unmatched_file_keys: List[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every tensor of the model was loaded."""
        return not self.shape_mismatches and not self.unmatched_model_keys

    def summary(self) -> str:
        """One line if all tensors were loaded; otherwise also a list of those that were not, and why."""
        total = len(self.loaded) + len(self.shape_mismatches) + len(self.unmatched_model_keys)
        lines = [f"{self.path}: loaded {len(self.loaded)} of the model's {total} tensors"]
        for title, items in (
            ("left out because shapes differ", [str(item) for item in self.shape_mismatches]),
            ("not in the file, left as they were", self.unmatched_model_keys),
            ("in the file, not in the model", self.unmatched_file_keys),
        ):
            if items:
                lines.append(f"  {title} ({len(items)}): {_some(items)}")
        return "\n".join(lines)


def _some(items: List[str]) -> str:
    more = len(items) - LISTED
    return "; ".join(items[:LISTED]) + (f"; and {more} more" if more > 0 else "")
