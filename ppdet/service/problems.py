"""Errors of requests, each with a status and a code that programs can compare."""

from __future__ import annotations

from collections.abc import Mapping

from ppdet.core.errors import PpdetError


class RequestError(PpdetError):
    """A request that is not answered with poses.

    Args:
        status: HTTP status.
        code: short name for programs, listed in docs/serve.md.
        message: what was given, what was expected, what to do.
        headers: further headers of the answer.
    """

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, dict(headers or {})


def too_busy(code: str, message: str, retry_seconds: int) -> RequestError:
    """Status 429 with Retry-After."""
    return RequestError(429, code, f"{message}; try again in {retry_seconds} s", {"Retry-After": str(retry_seconds)})


def shutting_down() -> RequestError:
    """Status 503 of a service that only finishes what it accepted."""
    return RequestError(503, "shutting_down", "the service is shutting down: ask another one, or try again later",
                        {"Retry-After": "5"})
