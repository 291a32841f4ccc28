"""Downloads from servers that do not behave."""

from __future__ import annotations

import hashlib
import multiprocessing
import socketserver
import threading
import time
from contextlib import suppress

import pytest

import ppdet.engine.weights.download as module
from ppdet.core.errors import CheckpointError
from ppdet.engine.weights.cache import cached_weights

CONTENT = bytes(range(256)) * 2000


def answer(status: str = "200 OK", body: bytes = CONTENT, length: object = None, **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Server:
    """Answers each request by `reply(request text)`, bytes or an iterable of bytes, and closes."""

    def __init__(self, reply):
        self.requests = []

        server = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                text = self.request.recv(1 << 16).decode()
                server.requests.append(text)
                made = reply(text)
                with suppress(OSError):
                    for piece in [made] if isinstance(made, bytes) else made:
                        self.request.sendall(piece)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/tiny.pdparams"

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._server.shutdown()
        self._server.server_close()


def endless(text):
    yield b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    while True:
        yield bytes(1 << 16)


def trickle(text):
    yield answer(body=b"", length=1 << 20)
    while True:
        yield b"x"
        time.sleep(0.05)


@pytest.mark.parametrize(
    "reply, message",
    [
        (lambda text: b"nonsense\r\n\r\n", "cannot download"),
        (lambda text: b"HTTP/1.1 2000 What\r\n\r\n", "cannot download"),
        (lambda text: b"", "cannot download"),
        (lambda text: answer("404 Not Found", b"gone"), "status 404"),
        (lambda text: answer("206 Partial Content"), "status 206"),
        (lambda text: answer(body=b"\n <!DOCTYPE html><html>login</html>"), "a web page instead of the file"),
        (lambda text: answer(body=b""), "empty file"),
        (lambda text: answer(length=1 << 50), "more than the"),
        (lambda text: answer(body=CONTENT[:1000], length=len(CONTENT)), "broke after 1000 of 512000 bytes; run again"),
        (endless, "does not end"),
        (trickle, "bytes in .* s"),
    ],
)
def test_no_answer_that_is_not_the_file_is_taken_for_it(tmp_path, monkeypatch, reply, message):
    monkeypatch.setattr(module, "LARGEST_UNSTATED", 1 << 20)
    monkeypatch.setattr(module, "SLOWEST_SECONDS", 1)
    monkeypatch.setattr(module, "CHUNK", 16)
    with Server(reply) as server, pytest.raises(CheckpointError, match=message) as caught:
        cached_weights(server.url, tmp_path)
    assert "Without a network" in str(caught.value) and "object at 0x" not in str(caught.value)
    assert not list(tmp_path.rglob("*.pdparams"))


@pytest.mark.parametrize(
    "given", ["bytes 0-511999/512000", "bytes 1000-1999/512000", "nonsense", "bytes 999-511999/512000"]
)
def test_a_wrong_range_is_not_appended(tmp_path, given):
    """The download begins again, without a range."""

    def reply(text):
        if "Range:" in text:
            return answer("206 Partial Content", CONTENT, Content_Range=given)
        return answer(body=CONTENT[:1000], length=len(CONTENT)) if len(server.requests) == 1 else answer()

    with Server(reply) as server:
        with pytest.raises(CheckpointError, match="run again"):
            cached_weights(server.url, tmp_path)
        assert cached_weights(server.url, tmp_path).read_bytes() == CONTENT
        assert len(server.requests) == 3


def test_a_right_range_is(tmp_path):
    def reply(text):
        if "Range: bytes=1000-" in text:
            return answer("206 Partial Content", CONTENT[1000:], Content_Range="bytes 1000-511999/512000")
        return answer(body=CONTENT[:1000], length=len(CONTENT))

    with Server(reply) as server:
        with pytest.raises(CheckpointError, match="run again"):
            cached_weights(server.url, tmp_path)
        assert cached_weights(server.url, tmp_path).read_bytes() == CONTENT


def test_a_range_without_its_place_needs_the_right_length(tmp_path):
    def reply(text):
        if "Range:" in text:
            return answer("206 Partial Content", given.pop())
        return answer(body=CONTENT[:1000], length=len(CONTENT)) if len(server.requests) == 1 else answer()

    given = [CONTENT[1000:], CONTENT]
    with Server(reply) as server:
        with pytest.raises(CheckpointError, match="run again"):
            cached_weights(server.url, tmp_path)
        assert cached_weights(server.url, tmp_path).read_bytes() == CONTENT  # all of it, sent as a part: begun again
        assert len(server.requests) == 3


def test_the_checksum_is_verified_before_the_file_is_kept(tmp_path):
    right = hashlib.sha256(CONTENT).hexdigest()
    with Server(lambda text: answer()) as server:
        with pytest.raises(CheckpointError, match="not the file it should be"):
            cached_weights(server.url, tmp_path, sha256="0" * 64)
        assert not list(tmp_path.rglob("tiny*"))
        path = cached_weights(server.url, tmp_path, sha256=right)
        path.write_bytes(b"damaged later")
        with pytest.raises(CheckpointError, match="not the file it should be"):
            cached_weights(server.url, tmp_path, sha256=right)
        assert cached_weights(server.url, tmp_path, sha256=right).read_bytes() == CONTENT


def test_several_processes_download_once(tmp_path):
    def slow(text):
        yield answer(body=CONTENT[:1000], length=len(CONTENT))
        time.sleep(0.5)
        yield CONTENT[1000:]

    with Server(slow) as server:
        fork = multiprocessing.get_context("fork")
        processes = [fork.Process(target=cached_weights, args=(server.url, tmp_path)) for _ in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(30)
        assert [process.exitcode for process in processes] == [0] * 4
        assert len(server.requests) == 1
    (file,) = tmp_path.rglob("tiny.pdparams")
    assert file.read_bytes() == CONTENT


def test_a_password_is_not_shown(tmp_path):
    with pytest.raises(CheckpointError) as caught:
        cached_weights("http://me:secret@127.0.0.1:9/tiny.pdparams", tmp_path)
    assert "secret" not in str(caught.value)
