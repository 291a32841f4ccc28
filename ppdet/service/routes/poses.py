"""Poses of one image."""

from __future__ import annotations

import asyncio
import base64
from functools import partial
from typing import Any, Dict, Set

import cv2
import numpy as np
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response

from ppdet.inference.results import PoseResult
from ppdet.service.access import require_key
from ppdet.service.batches.batching import Estimated
from ppdet.service.bodies import REQUEST_BODY, client_gone, image_of_request
from ppdet.service.problems import RequestError
from ppdet.service.schema import ErrorAnswer, PosesAnswer
from ppdet.service.schema_names import POSES, SCHEMA
from ppdet.service.served_models import at_most
from ppdet.service.state import Service, service_of

JPEG = "image/jpeg"
JPEG_QUALITY = 90
DIGITS = 6
ERRORS: Dict[Any, Dict[str, Any]] = {
    status: {"model": ErrorAnswer, "description": text}
    for status, text in {
        400: "the request is not as described", 401: "an API key is needed", 408: "the body came too slowly",
        413: "too many bytes or pixels", 415: "an unsupported format", 422: "a damaged image, or a parameter out of range",
        429: "the queue is full; see Retry-After", 503: "the service is shutting down", 504: "not answered in time",
    }.items()
}  # fmt: skip
THRESHOLD = Query(0.5, ge=0, le=1, description="smallest keypoint score that is drawn; the JSON has them all")

router = APIRouter(prefix="/v1", dependencies=[Depends(require_key)], tags=["images"])


@router.post("/poses", responses={200: {"model": PosesAnswer}, **ERRORS}, openapi_extra=REQUEST_BODY)
async def poses(
    request: Request,
    draw: bool = Query(False, description="also answer with the image and the poses drawn on it"),
    threshold: float = THRESHOLD,
) -> Response:
    """People and their poses, as JSON."""
    service = service_of(request)
    found = await _estimated(request, service, draw, threshold)
    result, left_out = at_most(found.result, service.limits.people)
    service.metrics.people(len(result))
    content = {SCHEMA: POSES, **result.to_dict(), "people_left_out": left_out, "seconds": round(found.seconds, DIGITS)}
    if found.drawing is not None:
        content["drawing"] = {"media_type": JPEG, "base64": base64.b64encode(found.drawing).decode("ascii")}
    return JSONResponse(content)


@router.post(
    "/drawing",
    responses={200: {"content": {JPEG: {"schema": {"type": "string", "format": "binary"}}}}, **ERRORS},
    response_class=Response,
    openapi_extra=REQUEST_BODY,
)
async def drawing(request: Request, threshold: float = THRESHOLD) -> Response:
    """The image with the poses drawn on it, as JPEG."""
    found = await _estimated(request, service_of(request), True, threshold)
    return Response(found.drawing, media_type=JPEG)


async def _estimated(request: Request, service: Service, draw: bool, threshold: float) -> Estimated:
    """The answer of the queue, unless the client goes away or time runs out first."""
    data = await image_of_request(request)
    drawer = partial(_drawn, service.limits.people, threshold) if draw else None
    future = await asyncio.to_thread(service.batcher.submit, data, drawer)
    del data
    answer = asyncio.ensure_future(asyncio.wrap_future(future))
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        waiting: Set[asyncio.Future[Any]] = {answer, gone}
        await asyncio.wait(waiting, timeout=service.limits.seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        if not answer.done():
            answer.cancel()  # cancels the work, too, if it has not begun
    if answer.done() and not answer.cancelled():
        return answer.result()
    if gone.done() and not gone.cancelled():
        raise client_gone()
    raise RequestError(504, "too_slow", f"the image was not answered within {service.limits.seconds:g} s: try again later")


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _drawn(people: int, threshold: float, result: PoseResult, image: np.ndarray) -> bytes:
    shown, _ = at_most(result, people)
    pixels = cv2.cvtColor(shown.draw(image, threshold), cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert done, "OpenCV always encodes JPEG"
    return encoded.tobytes()
