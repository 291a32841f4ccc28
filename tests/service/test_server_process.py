"""A real server: what only sockets show. Orderly end, slow and rude clients, and mistakes of the operator."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.image_files import bomb_png
from support.served import Running, assert_planted, encoded, planted_image, running_server

PNG = encoded(planted_image())
LONG = 120.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    flags = ("--body_mib", "1", "--header_seconds", "3", "--body_seconds", "3", "--connections", "50", "--workers", "1")
    with running_server(tmp_path_factory.mktemp("server"), *flags) as found:
        yield found
        assert found.end() == 0, found.log.read_text()
        assert "Traceback" not in found.log.read_text() and "ended" in found.log.read_text()


def post(port: int, body: bytes, path: str = "/v1/poses") -> tuple[int, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONG)
    with contextlib.closing(connection):
        connection.request("POST", path, body, {"content-type": "image/png"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=LONG)


def all_of(stream: socket.socket) -> bytes:
    """What the server sends until it closes the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := stream.recv(65536):
            parts.append(part)
    return b"".join(parts)


def still_answers(server: Running) -> None:
    status, content = post(server.port, PNG)
    assert status == 200
    assert_planted(content["people"])


JUNK = [
    b"hello\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00" + bytes(64), b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
    b"POST /v1/poses HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
    b"POST /v1/poses HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
]  # fmt: skip


@pytest.mark.parametrize("junk", JUNK)
def test_wrong_http(server: Running, junk: bytes) -> None:
    with connected(server.port) as stream:
        stream.sendall(junk)
        assert all_of(stream).startswith(b"HTTP/1.1 400 ")
    still_answers(server)


def test_a_header_without_end_and_a_header_that_does_not_come(server: Running) -> None:
    with connected(server.port) as endless, connected(server.port) as slow, connected(server.port) as silent:
        with contextlib.suppress(ConnectionError):
            endless.sendall(b"GET / HTTP/1.1\r\n" + b"x-a: " + b"a" * 100_000)
        assert b" 400 " in all_of(endless)[:20]
        slow.sendall(b"GET / HTTP/1.1\r\nx-a:")
        start = time.monotonic()
        assert all_of(slow) == b"" and all_of(silent) == b""
        assert time.monotonic() - start < LONG / 2
    still_answers(server)


def test_a_slow_body_and_one_that_is_too_large(server: Running) -> None:
    head = b"POST /v1/poses HTTP/1.1\r\nhost: x\r\ncontent-length: "
    with connected(server.port) as slow:
        slow.sendall(head + b"1000\r\n\r\nabc")
        answer = all_of(slow)
        assert answer.startswith(b"HTTP/1.1 408 ") and b"body_too_slow" in answer
    with connected(server.port) as large:  # a gigabyte is stated, and part of it sent before anything is read
        large.sendall(head + b"%d\r\n\r\n" % (1 << 30) + bytes(3 << 20))
        large.shutdown(socket.SHUT_WR)
        answer = all_of(large)
        assert answer.startswith(b"HTTP/1.1 413 ") and b"body_too_large" in answer and b"connection: close" in answer
    still_answers(server)


def test_thousands_of_connections_opened_and_dropped(server: Running) -> None:
    for _ in range(2000):
        connected(server.port).close()
    held = []
    with contextlib.ExitStack() as stack, contextlib.suppress(ConnectionError, BrokenPipeError):
        for _ in range(120):  # more than --connections
            held.append(stack.enter_context(connected(server.port)))
        closed = sum(stream.recv(1) == b"" for stream in held[60:])
        assert closed == 60
    still_answers(server)


def test_clients_that_leave_before_their_answer(server: Running) -> None:
    for _ in range(30):
        with connected(server.port) as stream:
            stream.sendall(b"POST /v1/poses HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(PNG) + PNG)
    still_answers(server)
    end = time.monotonic() + LONG
    while open_images(server.port):
        assert time.monotonic() < end, "nothing may be left in the queue"
        time.sleep(0.05)


def metrics(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONG)
    with contextlib.closing(connection):
        connection.request("GET", "/metrics")
        return connection.getresponse().read()


def test_a_bomb(server: Running) -> None:
    status, content = post(server.port, bomb_png(12000, 12000))
    assert (status, content["error"]["code"]) == (413, "too_many_pixels")
    still_answers(server)


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_the_end_answers_what_was_accepted(tmp_path: Path, number: int) -> None:
    """Images wait up to 3 s for a full batch of 64, so that most of the 20 are unanswered when the signal comes."""
    count = 20
    with running_server(tmp_path, "--workers", "1", "--batch_images", "64", "--batch_wait_ms", "3000") as server:
        answers: list[tuple[int, dict]] = []
        clients = [threading.Thread(target=lambda: answers.append(post(server.port, PNG, "/v1/poses?draw=true")))
                   for _ in range(count)]  # fmt: skip
        for client in clients:
            client.start()
        end = time.monotonic() + LONG
        while (accepted := open_images(server.port)) + len(answers) < count:
            assert time.monotonic() < end
        assert accepted > 0, "nothing was left to answer when the signal came"
        server.process.send_signal(number)
        for client in clients:
            client.join(LONG)
        assert server.process.wait(LONG) == 0, server.log.read_text()
        assert [status for status, _ in answers] == [200] * count
        assert all(len(content["people"]) == 1 for _, content in answers)
        with pytest.raises(ConnectionRefusedError):
            connected(server.port)
        assert "Traceback" not in server.log.read_text()


def open_images(port: int) -> int:
    """Images accepted and not yet answered."""
    return int(float(metrics(port).split(b"\nppdet_open_images ")[1].split()[0]))
