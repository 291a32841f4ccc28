"""Every number that bounds what clients can make the service do. SECURITY.md and the flags of `ppdet serve` are made from them.

Nothing heavy is imported here, so that `--help` is quick.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from ppdet.core.errors import ConfigError

MIB = 1 << 20


def _number(default: float, smallest: float, text: str) -> float:
    """A limit with its default, smallest value, and explanation."""
    return field(default=default, metadata={"smallest": smallest, "text": text})


def _count(default: int, smallest: int, text: str) -> int:
    return field(default=default, metadata={"smallest": smallest, "text": text})


@dataclass(frozen=True)
class ServiceLimits:
    """Limits of the service; the explanation of each is in its metadata, from which flags and documentation are made.

    Raises:
        ConfigError: a number is smaller than allowed.
    """

    body_mib: int = _count(16, 1, "largest body of a request with an image, MiB")
    body_seconds: float = _number(30.0, 0.1, "longest time for a request with an image to arrive, seconds")
    memory_mib: int = _count(256, 1, "bodies of all clients in memory at the same time, MiB")
    header_kib: int = _count(32, 1, "largest header of a request, KiB")
    header_seconds: float = _number(10.0, 0.1, "longest time for a header to arrive, seconds")
    send_seconds: float = _number(30.0, 0.1, "longest time for a client to accept an answer, seconds")
    connections: int = _count(1000, 1, "open connections; further ones are closed at once")
    pixels: int = _count(32_000_000, 1, "pixels of one image")
    pixels_in_work: int = _count(96_000_000, 1, "pixels of decoded images in memory, unless a single image has more")
    people: int = _count(100, 1, "people per image whose poses are estimated, best boxes first")
    queue: int = _count(64, 1, "images accepted and not yet answered; further ones get status 429")
    batch_images: int = _count(4, 1, "largest batch of images, from all clients")
    batch_wait_ms: float = _number(5.0, 0.0, "longest time that an image waits for others to join its batch, milliseconds")
    seconds: float = _number(30.0, 0.1, "longest time from accepting an image to its answer, seconds; then status 504")
    shutdown_seconds: float = _number(30.0, 0.1, "longest time to answer accepted requests when the service shuts down, seconds")
    video_mib: int = _count(256, 1, "largest uploaded video, MiB")
    video_body_seconds: float = _number(600.0, 0.1, "longest time for a video to arrive, seconds")
    video_uploads: int = _count(4, 1, "simultaneous uploads of videos")
    video_frames: int = _count(9000, 1, "frames of a video")
    video_pixels: int = _count(8_400_000, 1, "pixels of a frame of a video")
    video_seconds: float = _number(1800.0, 1.0, "longest time to process a video, seconds")
    video_memory_mib: int = _count(4096, 256, "address space of the process that works on a video, MiB")
    video_result_mib: int = _count(256, 1, "largest file of the results of a video, MiB")
    video_jobs: int = _count(8, 1, "videos waiting, being processed, or kept with their results")
    video_life_seconds: float = _number(3600.0, 1.0, "time that the results of a video are kept, seconds")

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not each.metadata["smallest"] <= value < float("inf"):
                raise ConfigError(f"--{each.name} is {value}: give {each.metadata['smallest']:g} or more "
                                  f"({each.metadata['text']})")
        if self.memory_mib < self.body_mib:
            raise ConfigError(f"--memory_mib is {self.memory_mib} and --body_mib {self.body_mib}: the memory must hold at least "
                              "one body")
