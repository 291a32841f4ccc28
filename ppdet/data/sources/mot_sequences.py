"""Sequences of images in MOTChallenge's layout, for evaluating trackers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Sequence, Union

import numpy as np

from ppdet.annotations.tracking_labels import sequence_fps
from ppdet.core.config.registry import register
from ppdet.core.errors import DataError
from ppdet.image.io import is_image_file, list_images, read_image

FRAMES, TRUTH = "img1", os.path.join("gt", "gt.txt")


@dataclass(frozen=True)
class MotSequence:
    """One sequence.

    Attributes:
        name: of its folder.
        frames: image files; the first one is frame 1.
        fps: frames per second.
        truth: its gt.txt, or None.
    """

    name: str
    frames: Sequence[Path]
    fps: float
    truth: Optional[Path]


@register
class MOTImageFolder:
    """Folders of images. Below `dataset_dir/data_root` every folder is a sequence: its images (in `img1`, if it has that), sorted
    by name, are the frames from 1 on, `seqinfo.ini` states the frame rate, `gt/gt.txt` the truth.

    Args:
        dataset_dir, data_root: the folder; it may also be one sequence itself.
        keep_ori_im, anno_path: PaddleDetection's keys; not used.
        sample_num: the first n frames of each sequence only; -1 for all.
        frame_rate: overrides the rates of the sequences; -1 does not.
        image_range: [black, white] values of images with more than 8 bits; None finds it from each file.
    """

    label_list = ("pedestrian",)

    def __init__(
        self,
        dataset_dir: str = "",
        data_root: str = "",
        keep_ori_im: bool = False,
        anno_path: Optional[str] = None,
        sample_num: int = -1,
        frame_rate: float = -1,
        image_range: Optional[Sequence[float]] = None,
    ) -> None:
        self.root = Path(os.path.join(dataset_dir or "", data_root or ""))
        self.sample_num, self.frame_rate, self.image_range = sample_num, frame_rate, image_range
        self.sequences: List[MotSequence] = []

    @property
    def annotation_file(self) -> str:
        """Folder of the sequences."""
        return str(self.root)

    def __len__(self) -> int:
        return len(self.parse().sequences)

    def parse(self) -> MOTImageFolder:
        """List the sequences, once.

        Raises:
            DataError: there is no folder, or no image in it.
        """
        if self.sequences:
            return self
        if not self.root.is_dir():
            raise DataError(f"there is no folder {self.root}: set dataset_dir and data_root of the EvalMOTDataset to a folder "
                            "with sequences of images")  # fmt: skip
        folders = [self.root] if self._frames_of(self.root) else sorted(path for path in self.root.iterdir() if path.is_dir())
        self.sequences = [each for each in map(self._sequence, folders) if each.frames]
        if not self.sequences:
            raise DataError(f"{self.root} has no sequence: expected folders of images, such as NAME/{FRAMES}/000001.jpg with "
                            f"NAME/{TRUTH} and NAME/seqinfo.ini")  # fmt: skip
        return self

    def image(self, path: Union[str, Path]) -> np.ndarray:
        """(H, W, 3) RGB uint8 pixels of a frame.

        Raises:
            MediaError: it cannot be read.
        """
        return read_image(path, apply_orientation=True, image_range=self.image_range)

    def _sequence(self, folder: Path) -> MotSequence:
        frames = self._frames_of(folder)[: None if self.sample_num < 0 else self.sample_num]
        truth = folder / TRUTH
        fps = self.frame_rate if self.frame_rate > 0 else sequence_fps(folder)
        return MotSequence(folder.name, frames, fps, truth if truth.is_file() else None)

    @staticmethod
    def _frames_of(folder: Path) -> List[Path]:
        inside = folder / FRAMES
        place = inside if inside.is_dir() else folder
        has_images = any(is_image_file(path) and path.is_file() for path in place.iterdir())
        return list_images(place) if has_images else []
