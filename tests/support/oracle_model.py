"""A model that knows the answers, for tests of evaluation."""

from __future__ import annotations

import numpy as np
import paddle

from ppdet.engine.assembly import Assembly


class Oracle:
    """Gives, for crops in the reader's order, the very heatmaps the codec encodes; mirrored crops in the second half."""

    def __init__(self, assembly: Assembly, flip: bool) -> None:
        dataset = assembly.dataset("Eval")
        samples = [dataset.describe(i) for i in range(len(dataset))]
        self.codec, self.skeleton, self.flip = assembly.codec, assembly.skeleton, flip
        crop = self.codec.crop_at(
            np.stack([s.center_xy for s in samples]), np.stack([s.size_wh for s in samples]), np.zeros(len(samples))
        )
        self.xy_input = crop.to_input(np.stack([s.xy_image for s in samples]))
        self.training, self.calls, self._next = True, [], 0

    def eval(self) -> None:
        self.training = False

    def train(self) -> None:
        self.training = True

    def __call__(self, images: paddle.Tensor) -> dict[str, paddle.Tensor]:
        self.calls.append(images.shape[0])
        count = images.shape[0] // 2 if self.flip else images.shape[0]
        xy = self.xy_input[self._next : self._next + count]
        self._next += count
        maps = [self.codec.encode(xy, np.ones(xy.shape[:2]))[0]]
        if self.flip:
            mirrored = xy[:, self.skeleton.flip_permutation].copy()
            mirrored[..., 0] = self.codec.input_wh[0] - 1 - mirrored[..., 0]
            maps.append(self.codec.encode(mirrored, np.ones(xy.shape[:2]))[0])
        return {"heatmap": paddle.to_tensor(np.concatenate(maps))}
