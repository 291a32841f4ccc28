"""Runs the same images through the plain pipeline, without a server, for comparison; in a process of its own."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

WARM_UP_IMAGES = 4


@dataclass(frozen=True)
class PlainRate:
    """Images per second, and processor milliseconds per image; the latter hardly depend on other work on the machine."""

    images_per_second: float
    cpu_ms: float


def plain_rate(images: Sequence[bytes], seconds: float, threads: int, cpu_threads: int) -> PlainRate:
    """Speed of `PosePipeline` with the bundled models, in a new process.

    Args:
        images: encoded.
        seconds: how long to measure.
        threads: number of threads that call the pipeline at the same time.
        cpu_threads: threads of the engine in each of these.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure, images, seconds, threads, cpu_threads).result()


def _measure(images: Sequence[bytes], seconds: float, threads: int, cpu_threads: int) -> PlainRate:
    from ppdet.inference.pipeline import PosePipeline

    pipeline = PosePipeline(cpu_threads=cpu_threads)
    for image in images[:WARM_UP_IMAGES]:
        pipeline(image)
    counts = [0] * threads
    start, used = time.perf_counter(), time.process_time()

    def run(number: int) -> None:
        while time.perf_counter() < start + seconds:
            pipeline(images[(number + counts[number]) % len(images)])
            counts[number] += 1

    workers = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    done = max(sum(counts), 1)
    return PlainRate(done / (time.perf_counter() - start), (time.process_time() - used) / done * 1e3)
