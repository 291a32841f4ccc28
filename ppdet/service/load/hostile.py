"""Hostile clients, and whether an honest client is still answered meanwhile. They attack a server on this machine only."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from ppdet.service.load.clients import HOST, LoadReport, run_clients

HEAD = "POST /v1/poses HTTP/1.1\r\nhost: x\r\ncontent-type: application/octet-stream\r\ncontent-length: {}\r\n\r\n"
SLOW_CLIENTS, SLOW_SECONDS, SLOW_PAUSE = 50, 15.0, 0.5
HUGE_BYTES, CHUNK = 1 << 30, 1 << 20
BOMB_SIDE = 32000
LEAST_SECONDS = 3.0

Attack = Callable[[int], str]


def slow_clients(port: int) -> str:
    """Clients that send a byte now and then."""
    with contextlib.ExitStack() as stack:
        streams = [stack.enter_context(_connected(port)) for _ in range(SLOW_CLIENTS)]
        for stream in streams:
            stream.sendall(HEAD.format(1000).encode())
        end = time.monotonic() + SLOW_SECONDS
        while time.monotonic() < end:
            for stream in streams:
                with contextlib.suppress(OSError):
                    stream.send(b"x")
            time.sleep(SLOW_PAUSE)
    return f"{SLOW_CLIENTS} clients sent a byte every {SLOW_PAUSE:g} s for {SLOW_SECONDS:g} s"


def huge_body(port: int) -> str:
    """One client that sends a gigabyte."""
    sent, chunk = 0, bytes(CHUNK)
    with _connected(port) as stream:
        stream.sendall(HEAD.format(HUGE_BYTES).encode())
        with contextlib.suppress(OSError):
            while sent < HUGE_BYTES:
                stream.sendall(chunk)
                sent += CHUNK
        answer = b""
        with contextlib.suppress(OSError):
            answer = stream.recv(4096)
    status = answer.split(b" ", 2)[1].decode() if answer.startswith(b"HTTP/") else "none, the connection was closed"
    return f"status {status} after {sent // CHUNK} of {HUGE_BYTES // CHUNK} MiB"


def dropped_connections(port: int, count: int = 10_000) -> str:
    """Thousands of connections, one half opened and closed, the other half closed in the middle of a request."""
    failed = 0
    for number in range(count):
        try:
            with _connected(port) as stream:
                if number % 2:
                    stream.sendall(HEAD.format(1000).encode() + b"half")
        except OSError:
            failed += 1
    return f"{count} connections opened and dropped, {failed} of them refused"


def bomb(port: int) -> str:
    """A PNG of a hundred kilobytes that decodes to a gigapixel."""
    connection = http.client.HTTPConnection(HOST, port, timeout=60.0)
    with contextlib.closing(connection):
        connection.request("POST", "/v1/poses", bomb_png(BOMB_SIDE), {"content-type": "image/png"})
        answer = connection.getresponse()
        answer.read()
    return f"{BOMB_SIDE} x {BOMB_SIDE} pixels: status {answer.status}"


ATTACKS: dict[str, Attack] = {
    "slow clients": slow_clients, "1 GiB body": huge_body, "dropped connections": dropped_connections, "bomb": bomb,
}  # fmt: skip


def attacked(port: int, images: Sequence[bytes]) -> Iterator[tuple[str, str, LoadReport]]:
    """Each attack with its outcome, and what an honest client saw meanwhile and shortly after."""
    bomb_png(BOMB_SIDE)  # made before, since that takes a while
    for name, attack in ATTACKS.items():
        with ThreadPoolExecutor(1) as pool:
            outcome = pool.submit(attack, port)
            honest = run_clients(port, images, 1, LEAST_SECONDS)
            while not outcome.done():
                honest.add(run_clients(port, images, 1, LEAST_SECONDS))
        yield name, outcome.result(), honest


@lru_cache
def bomb_png(side: int) -> bytes:
    """A black square PNG of one bit per pixel."""
    deflate = zlib.compressobj(9)
    row = b"\0" + bytes(-(-side // 8))
    body = b"".join(deflate.compress(row) for _ in range(side)) + deflate.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _connected(port: int) -> socket.socket:
    return socket.create_connection((HOST, port), timeout=60.0)
