"""The browser page. Its files are a fixed list, read once; no path is built from a request."""

from __future__ import annotations

from pathlib import Path
from typing import Awaitable, Callable

from fastapi import APIRouter
from fastapi.responses import Response

FOLDER = Path(__file__).resolve().parents[1] / "page"
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page/main.js": ("main.js", "text/javascript; charset=utf-8"),
    "/page/service.js": ("service.js", "text/javascript; charset=utf-8"),
    "/page/canvas.js": ("canvas.js", "text/javascript; charset=utf-8"),
    "/page/sources.js": ("sources.js", "text/javascript; charset=utf-8"),
    "/favicon.ico": ("icon.svg", "image/svg+xml"),
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                               "img-src 'self' blob:; media-src 'self' blob:; "
                               "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(self), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}  # fmt: skip

router = APIRouter(include_in_schema=False)


def _answer(name: str, media_type: str) -> Callable[[], Awaitable[Response]]:
    content = (FOLDER / name).read_bytes()

    async def answer() -> Response:
        return Response(content, media_type=media_type, headers=HEADERS)

    return answer


for _path, (_name, _media_type) in FILES.items():
    router.add_api_route(_path, _answer(_name, _media_type), methods=["GET"], response_class=Response)
