"""ASGI middleware between server and routes: bounds bodies in bytes, time and memory, and refuses cleanly.

A client that is refused while still sending would see a broken connection instead of the answer. So after an early answer the
rest of the body is read and discarded for a moment before the connection is closed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from ppdet.service.limits import MIB, ServiceLimits
from ppdet.service.memory_ledger import MemoryLedger
from ppdet.service.metrics import Metrics
from ppdet.service.problems import RequestError, too_busy

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

VIDEOS = "/v1/videos"
LINGER_SECONDS = 2.0
RETRY_SECONDS = 2
UNKNOWN_ROUTE = "none"


@dataclass(frozen=True)
class BodyBounds:
    """Bounds of one request's body: bytes, seconds, and whether it is kept in memory."""

    most: int
    seconds: float
    in_memory: bool


class RequestGuard:
    """The middleware.

    Args:
        app: the routes.
        limits: bounds.
        metrics: counts answers.
    """

    def __init__(self, app: App, limits: ServiceLimits, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics
        self._image = BodyBounds(limits.body_mib * MIB, limits.body_seconds, True)
        self._video = BodyBounds(limits.video_mib * MIB, limits.video_body_seconds, False)
        self._memory = MemoryLedger(limits.memory_mib * MIB)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        bounds = self._video if scope["path"] == VIDEOS else self._image
        exchange = _Exchange(scope, receive, send, bounds, self._memory)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        finally:
            exchange.close()
            route = getattr(scope.get("route"), "path", UNKNOWN_ROUTE)
            self._metrics.request(route, exchange.status, time.perf_counter() - start)


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, bounds: BodyBounds, memory: MemoryLedger) -> None:
        self._receive, self._send, self._bounds, self._memory = receive, send, bounds, memory
        headers = dict(scope["headers"])
        self._stated = _whole_number(headers.get(b"content-length", b""))
        self._is_body_over = not self._stated and b"transfer-encoding" not in headers
        self._deadline = time.monotonic() + bounds.seconds
        self._taken = self._held = 0
        self.status = 0

    async def receive(self) -> Message:
        """The next part of the body, within the bounds."""
        if self._is_body_over:
            return await self._receive()
        if self._stated > self._bounds.most:
            raise self._too_large(self._stated)
        try:
            message = await asyncio.wait_for(self._receive(), max(self._deadline - time.monotonic(), 0.0))
        except asyncio.TimeoutError:
            raise RequestError(408, "body_too_slow", f"the body has not arrived within {self._bounds.seconds:g} s "
                               f"({self._taken} bytes received): send it faster, or a smaller one") from None
        if message["type"] == "http.request":
            self._count(len(message.get("body", b"")))
            self._is_body_over = not message.get("more_body", False)
        return message

    def _count(self, size: int) -> None:
        self._taken += size
        if self._taken > self._bounds.most:
            raise self._too_large(self._taken)
        if self._bounds.in_memory:
            if not self._memory.take(size):
                raise too_busy("memory_full", "more images are arriving than the service can hold in memory",
                               RETRY_SECONDS)
            self._held += size

    def _too_large(self, size: int) -> RequestError:
        return RequestError(413, "body_too_large", f"the body has at least {size} bytes, more than the {self._bounds.most} "
                            "allowed: send a smaller file")

    async def send(self, message: Message) -> None:
        """A part of the answer; the last one of an early answer waits for the client to finish sending."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if not self._is_body_over:
                message = {**message, "headers": [*message.get("headers", []), (b"connection", b"close")]}
        is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if is_last and not self._is_body_over:
            await self._send({**message, "more_body": True})
            await self._discard_rest()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    async def _discard_rest(self) -> None:
        end = time.monotonic() + LINGER_SECONDS
        while not self._is_body_over:
            try:
                message = await asyncio.wait_for(self._receive(), max(end - time.monotonic(), 0.0))
            except asyncio.TimeoutError:
                return
            self._is_body_over = message["type"] != "http.request" or not message.get("more_body", False)

    def close(self) -> None:
        """Free what the request held."""
        self._memory.give_back(self._held)
        self._held = 0


def _whole_number(text: bytes) -> int:
    return int(text) if text.isdigit() else 0
