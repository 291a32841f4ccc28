"""Everything that one service consists of; it lives as long as the application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import numpy as np
from starlette.requests import Request

from ppdet.inference.pipeline import PosePipeline
from ppdet.inference.results import PoseResult
from ppdet.service.batches.batching import PoseBatcher
from ppdet.service.limits import ServiceLimits
from ppdet.service.metrics import Metrics
from ppdet.service.served_models import ServedModels, warm_up
from ppdet.service.videos.jobs import VideoJobs


class Service:
    """Models, queue, videos and counters.

    Args:
        models: what to run; loaded and warmed up here.
        limits: bounds of everything.
        api_key: what clients must send, or None.
        workers: threads that estimate.

    Raises:
        ModelDirError, ConfigError: a model is missing or does not load.
    """

    def __init__(
        self,
        models: ServedModels,
        limits: ServiceLimits,
        api_key: Optional[str] = None,
        workers: int = 1,
    ) -> None:
        self.models, self.limits, self.api_key = models, limits, api_key
        self.pipeline: PosePipeline = models.open()
        warm_up(self.pipeline)
        self.metrics = Metrics()
        self.batcher = PoseBatcher(self._estimate, limits, self.metrics, workers)
        self.videos = VideoJobs(models, limits)
        self.is_ending = False
        self.metrics.watch("ppdet_open_images", "images accepted and not yet answered", lambda: self.batcher.open_images)
        self.metrics.watch("ppdet_videos", "videos that wait, are processed or are kept", lambda: len(self.videos))

    def _estimate(self, images: Sequence[np.ndarray]) -> Sequence[PoseResult]:
        return self.pipeline.estimate_batch(images, [None] * len(images))

    def begin_ending(self) -> None:
        """From now on not ready; what was accepted is still answered."""
        self.is_ending = True

    def close(self) -> None:
        """Answer what was accepted, then end all threads and processes, and remove all files."""
        self.begin_ending()
        self.batcher.close(self.limits.shutdown_seconds)
        self.videos.close()


def service_of(request: Request) -> Service:
    """The service that a request reached."""
    service: Service = request.app.state.service
    return service
