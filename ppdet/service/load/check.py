"""`ppdet benchmark serve`: the service under load, compared with the plain pipeline in the same run, and under attack."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ppdet.core.errors import ConfigError, PpdetError
from ppdet.image.io import list_images
from ppdet.service.batches.images import FORMATS
from ppdet.service.load.clients import ANSWER_SECONDS, HOST, LoadReport, run_clients
from ppdet.service.load.hostile import attacked
from ppdet.service.load.plain import plain_rate

HEADER = ("measured", "value")
START_SECONDS = END_SECONDS = 120.0
WARM_UP_SECONDS = 3.0
ROUNDS = 3
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


@dataclass(frozen=True)
class LoadSettings:
    """What to measure: images, clients, seconds of load and of the plain pipeline, workers of the service, whether to attack."""

    images: Path
    clients: int = 50
    seconds: float = 180.0
    plain_seconds: float = 60.0
    workers: int = 2
    attack: bool = True


def load_rows(settings: LoadSettings) -> Iterator[tuple[str, str]]:
    """Rows of the report, each as soon as it is measured.

    The plain pipeline and the load take turns, so that other work on the machine disturbs both equally.

    Raises:
        MediaError, ConfigError: no images.
        PpdetError: the server does not start, or does not shut down cleanly.
    """
    images = _contents(settings.images)
    yield "images", f"{len(images)} files of {sum(map(len, images)) / len(images) / 1024:.0f} KiB"
    plain_share = settings.plain_seconds / (ROUNDS + 1)
    with running() as server:
        port = server.start(settings.workers)
        run_clients(port, images, settings.workers, WARM_UP_SECONDS)
        found = LoadReport()
        plain = [plain_rate(images, plain_share, settings.workers, 1)]
        cpu_seconds = 0.0
        for _ in range(ROUNDS):
            before = server.cpu_seconds()
            found.add(run_clients(port, images, settings.clients, settings.seconds / ROUNDS))
            cpu_seconds += server.cpu_seconds() - before
            plain.append(plain_rate(images, plain_share, settings.workers, 1))
        loaded_mib = server.peak_mib()
        yield "load", f"{settings.clients} clients for {settings.seconds:g} s, in {ROUNDS} rounds"
        yield "requests answered", str(len(found.seconds))
        yield "errors", found.error_text()
        yield "p50 / p99", f"{found.percentile_ms(50):.0f} / {found.percentile_ms(99):.0f} ms"
        yield "images/s", f"{found.rate:.1f}"
        rates = ", ".join(f"{each.images_per_second:.1f}" for each in plain)
        plain_rate_mean = sum(each.images_per_second for each in plain) / len(plain)
        plain_cpu = sum(each.cpu_ms for each in plain) / len(plain)
        yield f"images/s of the plain pipeline, {settings.workers} threads", f"{rates} between the rounds"
        yield "service / plain", f"{found.rate / plain_rate_mean:.2f}"
        yield "processor time per image", f"{cpu_seconds / max(len(found.seconds), 1) * 1e3:.0f} ms, plain {plain_cpu:.0f} ms"
        yield "peak memory", loaded_mib
        if settings.attack:
            for name, outcome, honest in attacked(port, images):
                seen = f"{len(honest.seconds)} answered, {honest.error_text()} errors, slowest {honest.percentile_ms(100):.0f} ms"
                yield name, f"{outcome}; an honest client meanwhile: {seen}"
            yield "peak memory after that", server.peak_mib()
        yield "exit status after SIGTERM", str(server.end())


def _contents(folder: Path) -> Sequence[bytes]:
    paths = [path for path in list_images(folder) if path.suffix.lower() in _SUFFIXES]
    if not paths:
        raise ConfigError(f"--images {folder} has no image that the service takes: {', '.join(FORMATS)}")
    return [path.read_bytes() for path in paths]


class ServerProcess:
    """`ppdet serve` in a process of its own, on a free port of this machine.

    Args:
        log: file for its log.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, workers: int) -> int:
        """Start it, and wait until it is ready; returns the port.

        Raises:
            PpdetError: it ends or is not ready in time.
        """
        words = [sys.executable, "-m", "ppdet", "serve", "--host", HOST, "--port", "0", "--workers", str(workers),
                 "--seconds", str(ANSWER_SECONDS)]  # so that a slow machine gives slow answers, not errors
        with self._log.open("w") as stream:
            self._process = subprocess.Popen(words, stderr=stream, stdout=stream, env={**os.environ, "OMP_NUM_THREADS": "1"})
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            found = re.search(r" on http://[\d.]+:(\d+)", self._log.read_text())
            if found:
                return int(found[1])
            time.sleep(0.2)
        raise PpdetError(f"the server did not start:\n{self._log.read_text()[-2000:]}")

    def peak_mib(self) -> str:
        """Its peak resident memory so far; a question mark if the system does not report it."""
        assert self._process is not None
        with contextlib.suppress(OSError):
            found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self._process.pid}/status").read_text())
            if found:
                return f"{int(found[1]) / 1024:.0f} MiB"
        return "?"

    def cpu_seconds(self) -> float:
        """Processor time that it has used so far; NaN if the system does not report it."""
        assert self._process is not None
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return float("nan")

    def end(self) -> int:
        """Ask it to end; its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(END_SECONDS)

    def kill(self) -> None:
        """End it at once if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def running() -> Iterator[ServerProcess]:
    """A server that is ended with the block."""
    with tempfile.TemporaryDirectory() as folder:
        server = ServerProcess(Path(folder) / "serve.log")
        try:
            yield server
        finally:
            server.kill()
