"""The application: routes, errors in one form, and the life of the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

import ppdet
from ppdet.core.logger import get_logger
from ppdet.service.guard import RequestGuard
from ppdet.service.problems import RequestError
from ppdet.service.routes import page, poses, status, videos
from ppdet.service.schema import Base64Image, error_content
from ppdet.service.state import Service

CODES = {404: "not_found", 405: "wrong_method"}
DESCRIPTION = "People and their keypoints in images and videos. Every answer names its schema and version."


def create_app(service: Service) -> FastAPI:
    """The ASGI application of a service; it closes the service when it ends.

    Args:
        service: with loaded models.
    """

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(service.close)

    # FastAPI's own documentation pages load scripts from other hosts, so only /openapi.json is served.
    app = FastAPI(title="ppdet", version=ppdet.__version__, description=DESCRIPTION, docs_url=None, redoc_url=None, lifespan=life)
    app.state.service = service
    for part in (poses, videos, status, page):
        app.include_router(part.router)
    app.add_exception_handler(RequestError, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(Exception, _unexpected)
    app.add_middleware(RequestGuard, limits=service.limits, metrics=service.metrics)
    _describe_base64(app)
    return app


def _describe_base64(app: FastAPI) -> None:
    """Add the schema of the JSON body, which the routes read themselves."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        content = plain()
        content["components"]["schemas"].setdefault(Base64Image.__name__, Base64Image.model_json_schema())
        return content

    app.openapi = described  # type: ignore[method-assign]


def _answer(request: Request, status_code: int, code: str, message: str, headers: Any = None) -> JSONResponse:
    request.app.state.service.metrics.problem(code)
    return JSONResponse(error_content(code, message), status_code, headers)


async def _problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestError)
    return _answer(request, error.status, error.code, str(error), error.headers)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    message = f"{request.method} failed: {error.detail}; /openapi.json lists all routes"
    return _answer(request, error.status_code, CODES.get(error.status_code, "http_error"), message, error.headers)


async def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    places = [f"{'.'.join(str(part) for part in each['loc'][1:])}: {each['msg']}" for each in error.errors()]
    return _answer(request, 422, "bad_parameter", "; ".join(places)[:1000])


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    """A bug, or a model that fails; the traceback is in the log and not in the answer."""
    get_logger(__name__).error("a request failed", exc_info=error)
    return _answer(request, 500, "internal", "the service failed on this request; its log says why")
