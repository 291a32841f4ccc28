"""The rendered clip of the demo, and the accuracy of a pipeline on it.

Legend: N people of the truth, P people found, K keypoints.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import numpy as np

from ppdet.inference.progress import Progress
from ppdet.inference.results import PoseResult
from ppdet.inference.video.writer import VideoWriter
from ppdet.visualize.rendered_people import FPS, RenderedFrame, rendered_clip
from ppdet.visualize.rendered_people.scene import FRAMES

#: a keypoint is found if its distance is at most this fraction of the torso's length (PCK@0.2)
TOLERANCE = 0.2
#: a person is found if this fraction of their visible keypoints is
PERSON_SHARE = 0.5


def render_clip(path: Path, frames: Optional[int] = None) -> list[RenderedFrame]:
    """Write the rendered clip and return the ground truth of each frame.

    Args:
        path: video to write.
        frames: number of frames; None for the whole clip.
    """
    rendered, total = [], FRAMES if frames is None else frames
    with closing(Progress("rendering a clip", total)) as progress:
        for frame in rendered_clip(total):
            rendered.append(frame)
            progress.step()
    height, width = rendered[0].image.shape[:2]
    with VideoWriter(path, FPS, (width, height)) as writer:
        for frame in rendered:
            writer.write(frame.image)
    return rendered


@dataclass
class TruthScore:
    """Counts the visible keypoints and people of the rendered clip that were found.

    Attributes:
        truth: of each frame.
        keypoints, keypoints_found: visible ones in all frames together, and those within `TOLERANCE`.
        people, people_found: people with a visible keypoint in all frames together, and those found.
    """

    truth: list[RenderedFrame] = field(repr=False)
    keypoints: int = 0
    keypoints_found: int = 0
    people: int = 0
    people_found: int = 0

    def add(self, result: PoseResult) -> None:
        """Compare one frame's result, by its `frame_id`, with the truth.

        Each person is matched with the nearest free pose, nearest pairs first.
        """
        assert result.frame_id is not None
        frame = self.truth[result.frame_id - 1]
        seen = frame.visibility == 2
        offsets = np.linalg.norm(result.keypoints[None] - frame.keypoints[:, None], axis=3)  # (N, P, K)
        close = (offsets <= TOLERANCE * frame.torso[:, None, None]) & seen[:, None]
        share = close.sum(2) / np.maximum(seen.sum(1), 1)[:, None]
        self.keypoints += int(seen.sum())
        self.people += int(seen.any(1).sum())
        while share.size and share.max() > 0:
            person, pose = np.unravel_index(share.argmax(), share.shape)
            self.keypoints_found += int(close[person, pose].sum())
            self.people_found += int(share[person, pose] >= PERSON_SHARE)
            share[person], share[:, pose] = 0, 0

    @property
    def pck(self) -> float:
        """Fraction of the visible keypoints that were found, 0 to 1."""
        return self.keypoints_found / max(self.keypoints, 1)

    def text(self) -> str:
        """One line for the user."""
        found = f"{self.keypoints_found} of {self.keypoints} visible keypoints within {TOLERANCE:g} of the torso's length"
        people = f"{self.people_found} of {self.people} people found"
        return f"PCK@{TOLERANCE:g} {self.pck:.3f} on the rendered people ({found}); {people}"
