"""What operators and load balancers ask: alive, ready, numbers, models."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Dict, Sequence

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

import ppdet
from ppdet.service.access import require_key
from ppdet.service.batches.images import FORMATS
from ppdet.service.problems import shutting_down
from ppdet.service.schema import ErrorAnswer, ModelAnswer
from ppdet.service.schema_names import MODEL, SCHEMA
from ppdet.service.state import service_of
from ppdet.visualize.palette import rgb_from_bgr

router = APIRouter(tags=["status"])


@router.get("/health", response_class=PlainTextResponse)
async def health() -> str:
    """Answers as long as the process is alive."""
    return "ok\n"


@router.get("/ready", response_class=PlainTextResponse, responses={503: {"model": ErrorAnswer, "description": "shutting down"}})
async def ready(request: Request) -> str:
    """Answers as long as the service takes new work; the models are loaded before the port opens."""
    if service_of(request).is_ending:
        raise shutting_down()
    return "ready\n"


@router.get("/metrics", response_class=PlainTextResponse, dependencies=[Depends(require_key)])
async def metrics(request: Request) -> Response:
    """Numbers for Prometheus."""
    found = service_of(request).metrics
    return Response(found.text(), media_type=found.media_type)


@router.get("/v1/model", dependencies=[Depends(require_key)], responses={200: {"model": ModelAnswer}})
async def model(request: Request) -> Response:
    """What the service runs, its limits, and how to draw its skeleton."""
    service = service_of(request)
    skeleton = service.pipeline.skeleton
    content: Dict[str, Any] = {
        SCHEMA: MODEL, "version": ppdet.__version__, **service.models.describe(service.pipeline),
        "keypoints": list(skeleton.names), "keypoint_colors": [_css(color) for color in skeleton.colors],
        "links": [list(pair) for pair in skeleton.link_names], "link_colors": [_css(color) for color in skeleton.link_colors],
        "formats": list(FORMATS), "limits": asdict(service.limits),
    }  # fmt: skip
    return JSONResponse(content)


def _css(bgr: Sequence[int]) -> str:
    return "#" + "".join(f"{channel:02x}" for channel in rgb_from_bgr(bgr))
