"""Runs the service on a port until Ctrl-C or SIGTERM, then answers what was accepted."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
from contextlib import suppress
from types import FrameType
from typing import Any, Callable, Optional

import uvicorn

from ppdet.core.command import Terminated
from ppdet.core.errors import ConfigError
from ppdet.core.logger import get_logger
from ppdet.service.app import create_app
from ppdet.service.limits import ServiceLimits
from ppdet.service.protocol import bounded_protocol
from ppdet.service.served_models import ServedModels
from ppdet.service.state import Service

BACKLOG = 2048
KIB = 1 << 10
KEEP_ALIVE_SECONDS = 15
SPARE_FILES = 256
"""File descriptors besides those of connections: models, results, logs."""


def run_server(
    models: ServedModels,
    limits: Optional[ServiceLimits] = None,
    host: str = "127.0.0.1",
    port: int = 8000,
    api_key: Optional[str] = None,
    workers: int = 1,
) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        models: what to run.
        limits: bounds; None takes the defaults.
        host: address or name of the interface; "0.0.0.0" for all.
        port: 0 takes a free one, which the log names.
        api_key: what clients must send, or None.
        workers: threads that estimate.

    Raises:
        ConfigError: the port is taken or not allowed, or the host is unknown.
        ModelDirError: a model is missing or does not load.
    """
    limits = limits or ServiceLimits()
    log = get_logger(__name__)
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # else clients that do not speak HTTP fill the log
    with bound_socket(host, port) as listener:  # before the models are loaded, which takes a while; it does not listen yet
        service = Service(models, limits, api_key, workers)
        _raise_file_limit(limits.connections + SPARE_FILES)
        config = uvicorn.Config(
            create_app(service), http=bounded_protocol(limits), ws="none", lifespan="on", log_config=None, access_log=False,
            server_header=False, proxy_headers=False, backlog=BACKLOG, timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=max(int(limits.shutdown_seconds), 1), h11_max_incomplete_event_size=limits.header_kib * KIB,
        )  # fmt: skip
        if api_key is None and not _is_loopback(listener):
            log.warning("the service listens on %s without an API key: anyone who can reach this address can use it "
                        "(--api_key_file)", host)
        names = ", ".join(str(name) for name in models.describe(service.pipeline).values() if name)
        server = _Server(config, f"{names} on {address_of(listener)}, Ctrl-C to end", service.begin_ending)
        with suppress(KeyboardInterrupt, Terminated):  # uvicorn raises the signal again once it has shut down
            server.run([listener])
        log.info("ended; all accepted requests were answered")


class _Server(uvicorn.Server):
    """A server that logs its address once it listens, and tells the service at once when it is asked to end."""

    def __init__(self, config: uvicorn.Config, greeting: str, on_end: Callable[[], None]) -> None:
        super().__init__(config)
        self._greeting, self._on_end = greeting, on_end

    async def startup(self, sockets: Optional[list[socket.socket]] = None) -> None:
        await super().startup(sockets)
        get_logger(__name__).info("%s", self._greeting)

    def handle_exit(self, sig: int, frame: Optional[FrameType]) -> None:
        self._on_end()
        super().handle_exit(sig, frame)


def bound_socket(host: str, port: int) -> socket.socket:
    """A TCP socket bound to an address, not listening yet.

    Raises:
        ConfigError: the port is taken, out of range or not allowed, or the host is unknown.
    """
    if not 0 <= port <= 65535:
        raise ConfigError(f"--port is {port}: give a number from 1 to 65535, or 0 for any free port")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise ConfigError(f"--host {host} is not an address of this machine ({error}): give 127.0.0.1 for this machine alone, or "
                          "0.0.0.0 for all networks") from error
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ConfigError(_why_not_bound(host, port, error)) from error
    return listener


def _why_not_bound(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use by another program: stop it, or give another --port (0 takes a free one)"
    if error.errno == errno.EACCES:
        return f"port {port} needs administrator rights: give a --port of 1024 or more"
    if error.errno == errno.EADDRNOTAVAIL:
        return (f"--host {host} is not an address of this machine: give 127.0.0.1 for this machine alone, or 0.0.0.0 for all "
                "networks")  # fmt: skip
    return f"cannot open port {port} of {host}: {error.strerror or error}"


def address_of(listener: socket.socket) -> str:
    """The URL of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_loopback(listener: socket.socket) -> bool:
    return ipaddress.ip_address(listener.getsockname()[0].split("%")[0]).is_loopback


def _raise_file_limit(wanted: int) -> None:
    """Raise this process's limit on open files, as far as the system allows."""
    resource: Any
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted and soft != resource.RLIM_INFINITY:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        if allowed < wanted:
            get_logger(__name__).warning("this process may open %d files, fewer than --connections needs: raise it with "
                                         "ulimit -n %d", allowed, wanted)
