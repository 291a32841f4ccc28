"""Many concurrent clients in this process, each with one persistent connection; the server runs in another process."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

HOST = "127.0.0.1"
ANSWER_SECONDS = 120.0
OK = 200


@dataclass
class LoadReport:
    """What the clients saw: seconds of each answered request, and counts of everything other than status 200."""

    seconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    elapsed: float = 0.0

    @property
    def rate(self) -> float:
        """Answered images per second."""
        return len(self.seconds) / max(self.elapsed, 1e-9)

    def add(self, other: LoadReport) -> None:
        """Add the counts of another run."""
        self.seconds += other.seconds
        self.errors += other.errors
        self.elapsed += other.elapsed

    def percentile_ms(self, percent: float) -> float:
        """A percentile of the answers' times, in milliseconds; NaN without answers."""
        return float(np.percentile(self.seconds, percent)) * 1e3 if self.seconds else float("nan")

    def error_text(self) -> str:
        """The errors with their counts; "0" if there are none."""
        return ", ".join(f"{count} x {name}" for name, count in self.errors.most_common()) or "0"


def run_clients(port: int, images: Sequence[bytes], clients: int, seconds: float) -> LoadReport:
    """Send images for some time; each client sends the next one as soon as it has its answer.

    Args:
        port: of a server on this machine.
        images: encoded; each client begins with a different one.
        clients: number of them.
        seconds: after which no further request begins; the answers of the last ones are waited for.
    """
    report, lock = LoadReport(), threading.Lock()
    start = time.perf_counter()
    end = start + seconds

    def run(number: int) -> None:
        connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_SECONDS)
        at = number
        with contextlib.closing(connection):
            while time.perf_counter() < end:
                outcome = ask(connection, images[at % len(images)])
                at += 1
                with lock:
                    if isinstance(outcome, float):
                        report.seconds.append(outcome)
                    else:
                        report.errors[outcome] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report.elapsed = time.perf_counter() - start
    return report


def ask(connection: http.client.HTTPConnection, image: bytes) -> float | str:
    """Seconds until one image was answered, or the status or error if it was not."""
    begin = time.perf_counter()
    try:
        connection.request("POST", "/v1/poses", image, {"content-type": "application/octet-stream"})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return type(error).__name__
    return time.perf_counter() - begin if answer.status == OK else f"status {answer.status}"
