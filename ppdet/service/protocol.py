"""uvicorn's HTTP/1.1 protocol with limits that uvicorn lacks: on the time for a header, on open connections, and on clients that
do not read their answers."""

from __future__ import annotations

import asyncio
from typing import Any, Optional

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from ppdet.service.limits import ServiceLimits


def bounded_protocol(limits: ServiceLimits) -> type[H11Protocol]:
    """The protocol class for a server with these limits; h11 itself bounds the size of the header."""

    class BoundedProtocol(H11Protocol):
        """See `bounded_protocol`."""

        _header_timer: Optional[asyncio.TimerHandle] = None
        _write_timer: Optional[asyncio.TimerHandle] = None

        def connection_made(self, transport: Any) -> None:
            if len(self.connections) >= limits.connections:
                self.transport = transport
                transport.abort()
                return
            super().connection_made(transport)
            self._await_header()

        def connection_lost(self, exc: Optional[Exception]) -> None:
            self._stop_timers()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
                self._await_header()
            elif self._header_timer is not None:
                self._header_timer.cancel()
                self._header_timer = None

        def _await_header(self) -> None:
            if self._header_timer is None:
                self._header_timer = self.loop.call_later(limits.header_seconds, self._abort)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.transport.is_closing():
                self._abort_later()

        def timeout_keep_alive_handler(self) -> None:
            super().timeout_keep_alive_handler()
            self._abort_later()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._abort_later()

        def resume_writing(self) -> None:
            super().resume_writing()
            if self._write_timer is not None and not self.transport.is_closing():
                self._write_timer.cancel()
                self._write_timer = None

        def _abort_later(self) -> None:
            """Abort the connection if the client has not read the answer within `send_seconds`."""
            if self._write_timer is None:
                self._write_timer = self.loop.call_later(limits.send_seconds, self._abort)

        def _abort(self) -> None:
            self.transport.abort()

        def _stop_timers(self) -> None:
            for timer in (self._header_timer, self._write_timer):
                if timer is not None:
                    timer.cancel()

    return BoundedProtocol
