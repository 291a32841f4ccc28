"""Markdown tables of metric results, with PaddleDetection's columns."""

from __future__ import annotations

from typing import Mapping, Sequence

import numpy as np

# The header strings are PaddleDetection's; log parsers search for them.
KEYPOINT_HEADER = ("AP", "Ap .5", "AP .75", "AP (M)", "AP (L)", "AR", "AR .5", "AR .75", "AR (M)", "AR (L)")
CROWDPOSE_HEADER = ("AP", "Ap .5", "AP .75", "AR", "AR .5", "AR .75", "AP (easy)", "AP (medium)", "AP (hard)")
BOX_HEADER = ("AP", "AP .5", "AP .75", "AP (S)", "AP (M)", "AP (L)",
              "AR 1", "AR 10", "AR 100", "AR (S)", "AR (M)", "AR (L)")  # fmt: skip


def markdown_row(header: Sequence[str], values: Sequence[float]) -> str:
    """A Markdown table with a single row: header, rule, values with three decimals."""
    return "\n".join(
        (
            "| " + " | ".join(header) + " |",
            "|" + "---|" * len(header),
            "| " + " | ".join(f"{value:.3f}" for value in values) + " |",
        )
    )


def pck_table(names: Sequence[str], correct: np.ndarray, labelled: np.ndarray) -> str:
    """Per-keypoint table of (K,) correct and labelled counts; keypoints that were never labelled show a dash."""
    rows = ["| keypoint | labelled | PCK |", "|---|---|---|"]
    for name, right, count in zip(names, correct.tolist(), labelled.tolist()):
        rows.append(f"| {name} | {count} | {f'{right / count:.3f}' if count else '-'} |")
    return "\n".join(rows)


def keypoint_table(names: Sequence[str], scores: Mapping[str, np.ndarray]) -> str:
    """Per-keypoint table from `per_keypoint_scores`; keypoints that were never labelled show a dash."""
    rows = ["| keypoint | labelled | mean OKS term | PCK@0.1 box |", "|---|---|---|---|"]
    for index, name in enumerate(names):
        count = int(scores["count"][index])
        figures = (f"{scores['similarity'][index]:.3f}", f"{scores['pck'][index]:.3f}") if count else ("-", "-")
        rows.append(f"| {name} | {count} | {figures[0]} | {figures[1]} |")
    return "\n".join(rows)
