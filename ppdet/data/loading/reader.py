"""The reader blocks of a config: transforms and batching, bound to a dataset when called."""

from __future__ import annotations

import multiprocessing
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

import numpy as np

from ppdet.annotations.sidedness import one_sided
from ppdet.core.config.registry import register
from ppdet.core.errors import ConfigError, DataError
from ppdet.core.logger import get_logger
from ppdet.data.loading.batch_maker import BatchMaker
from ppdet.data.loading.loader import Loader
from ppdet.data.loading.sampling import cut_batches, eval_order, train_order

logger = get_logger(__name__)


class BaseReader:
    """What the three readers share. Arguments are PaddleDetection's.

    Args:
        sample_transforms: run on each sample.
        batch_transforms: run on the list of samples (`apply_samples`) or on the stacked batch (`apply_batch`).
        mosaic_epoch, mixup_epoch: epochs in which `Mosaic` or `Mixup` acts, from the first; 0 or absent: all, -1: none.
        batch_size: samples a batch and process.
        shuffle, drop_last: of training (default true); evaluation takes everything in order.
        inputs_def: {image_shape: [3, H, W]} for export.
        use_shared_memory, collate_batch, num_classes, fuse_normalize, drop_empty, bufsize, memsize, use_process,
            cutmix_epoch, mosaic_prob: accepted; batches always travel through shared memory
            and are always stacked.

    Raises:
        ConfigError: a batch size below 1, or an entry that is no transform.
    """

    __shared__ = ["num_classes"]
    training = False

    def __init__(
        self,
        sample_transforms: Sequence[Any] = (),
        batch_transforms: Sequence[Any] = (),
        batch_size: int = 1,
        shuffle: Optional[bool] = None,
        drop_last: Optional[bool] = None,
        num_classes: int = 80,
        collate_batch: bool = True,
        use_shared_memory: bool = False,
        inputs_def: Optional[Mapping[str, Any]] = None,
        fuse_normalize: bool = False,
        mixup_epoch: int = 0,
        cutmix_epoch: int = -1,
        mosaic_epoch: int = 0,
        mosaic_prob: float = 0.0,
        drop_empty: bool = True,
        bufsize: Any = None,
        memsize: Any = None,
        use_process: Optional[bool] = None,
    ) -> None:
        name = type(self).__name__
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ConfigError(f"{name}.batch_size must be a whole number from 1 on; given {batch_size!r}")
        for transform in [*sample_transforms, *batch_transforms]:
            if isinstance(transform, (str, Mapping)):
                raise ConfigError(f"{name}: {transform!r} is not built; build readers with ppdet.core.config.builder.Builder")
        for transform in batch_transforms:
            if not hasattr(transform, "apply_batch") and not hasattr(transform, "apply_samples"):
                raise ConfigError(f"{name}: {type(transform).__name__} works on single samples; move it to sample_transforms")
        self.sample_transforms, self.batch_transforms = list(sample_transforms), list(batch_transforms)
        self.batch_size = batch_size
        self.mixing_epochs = {"mosaic_epoch": mosaic_epoch, "mixup_epoch": mixup_epoch}
        self.shuffle = self.training if shuffle is None else bool(shuffle)
        self.drop_last = self.training if drop_last is None else bool(drop_last)
        self.num_classes, self.inputs_def = num_classes, dict(inputs_def or {})
        self.fuse_normalize = fuse_normalize

    @classmethod
    def build_parts(cls, build: Callable[..., Any], args: Dict[str, Any]) -> Dict[str, Any]:
        """Build the transforms named in a config."""
        for key in ("sample_transforms", "batch_transforms"):
            args[key] = build(list(args.get(key) or []))
        return args

    def __call__(self, dataset: Any, worker_num: int = 0, seed: int = 0, rank: int = 0, world_size: int = 1) -> Loader:
        """Batches of a dataset for one process of a run.

        Args:
            dataset: has `parse`, `load`, `image_path`, `preload` and a length.
            worker_num: processes that make batches; 0 for none.
            seed: with the epoch and the sample's number it decides every random choice.
            rank, world_size: this process among those that share the dataset.

        Raises:
            DataError: the dataset is empty or smaller than what is asked of it.
        """
        dataset.parse()
        total = len(dataset)
        worker_num = _possible_workers(worker_num)
        if self.training:
            self._warn_of_one_sided_data(dataset)
            plan = self._train_plan(total, seed, rank, world_size)
            dataset.preload(share=1 / world_size)
        else:
            order = eval_order(total, rank, world_size)
            plan = _constant(cut_batches(order, self.batch_size, drop_last=False))
            if getattr(dataset, "cache", False) is True:  # one pass in order decodes each image once anyway
                dataset.preload(order)
        maker = BatchMaker(
            dataset, self.sample_transforms, self.batch_transforms, seed,
            replace_bad=self.training, mixing_epochs=self.mixing_epochs,
        )  # fmt: skip
        return Loader(maker, plan, self.batch_size, worker_num)

    def _warn_of_one_sided_data(self, dataset: Any) -> None:
        """Training mirrors every second image; data whose objects all face one way do not look like that."""
        keypoints, skeleton = getattr(dataset, "labelled_keypoints", None), getattr(dataset, "skeleton", None)
        mirrors = any(getattr(transform, "mirrors", False) for transform in self.sample_transforms)
        if not mirrors or keypoints is None or skeleton is None or not skeleton.flip_pairs:
            return
        order = one_sided(keypoints, skeleton.names, skeleton.flip_pairs)
        if order is not None:
            logger.warning(
                "one-sided data: %s, and training mirrors images. Mirrored ones show the opposite, so left and right keypoints "
                "may come out on one spot. If all images to come face that way, too, switch it off (flip: false in "
                "RandomFlipHalfBodyTransform, flip_prob: 0 elsewhere; flip: false in the model for the flip test)",
                order,
            )

    def _train_plan(self, total: int, seed: int, rank: int, world_size: int) -> Callable[[int], List[np.ndarray]]:
        share = total // world_size
        if self.drop_last and 0 < share < self.batch_size:
            raise DataError(
                f"{share} training samples a process make no batch of {self.batch_size} with drop_last: true; "
                "lower TrainReader.batch_size or set drop_last: false"
            )

        def plan(epoch: int) -> List[np.ndarray]:
            order = train_order(total, epoch, seed, rank, world_size, self.shuffle)
            return cut_batches(order, self.batch_size, self.drop_last)

        return plan


def _constant(batches: List[np.ndarray]) -> Callable[[int], List[np.ndarray]]:
    return lambda epoch: batches


def _possible_workers(worker_num: int) -> int:
    if worker_num < 0:
        raise ConfigError(f"worker_num must be 0 or more; given {worker_num}")
    if worker_num and "fork" not in multiprocessing.get_all_start_methods():
        logger.warning("this system cannot fork: batches are made in the main process (worker_num: 0)")
        return 0
    return worker_num


@register
class TrainReader(BaseReader):
    """Shuffled, augmented batches; processes of a run take disjoint, equal shares."""

    training = True


@register
class EvalReader(BaseReader):
    """Everything once, in order; processes of a run take every n-th sample."""


@register
class TestReader(BaseReader):
    """Like EvalReader; also describes the preprocessing of an exported model."""
