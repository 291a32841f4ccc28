"""The same images through the plain pipeline, without a server, to compare with; in a process of its own."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

WARM_UP_IMAGES = 4


def plain_rate(images: Sequence[bytes], seconds: float, threads: int, cpu_threads: int) -> float:
    """Images per second of `PosePipeline` with the bundled models, in a new process.

    Args:
        images: encoded.
        seconds: how long to measure.
        threads: that call the pipeline at the same time.
        cpu_threads: of the engine, each.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure, images, seconds, threads, cpu_threads).result()


def _measure(images: Sequence[bytes], seconds: float, threads: int, cpu_threads: int) -> float:
    from ppdet.inference.pipeline import PosePipeline

    pipeline = PosePipeline(cpu_threads=cpu_threads)
    for image in images[:WARM_UP_IMAGES]:
        pipeline(image)
    counts = [0] * threads
    start = time.perf_counter()

    def run(number: int) -> None:
        while time.perf_counter() < start + seconds:
            pipeline(images[(number + counts[number]) % len(images)])
            counts[number] += 1

    workers = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / (time.perf_counter() - start)
