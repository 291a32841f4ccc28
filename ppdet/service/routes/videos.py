"""Videos as jobs: upload, poll the progress, fetch the results."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Dict

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.requests import ClientDisconnect

from ppdet.service.access import require_key
from ppdet.service.bodies import BINARY, BYTES, FORM, client_gone, media_type, uploaded_file
from ppdet.service.problems import RequestError
from ppdet.service.routes.poses import ERRORS
from ppdet.service.schema import ErrorAnswer, ErrorDetail, VideoAnswer, VideoResult
from ppdet.service.schema_names import SCHEMA, VIDEO
from ppdet.service.state import Service, service_of
from ppdet.service.videos.jobs import DONE, RESULTS, VideoJob

FIELD = "video"
CHUNK = 1 << 20
MEDIA_TYPES = {"json": "application/json", "drawn": "video/mp4"}
NOT_FOUND: Dict[Any, Dict[str, Any]] = {404: {"model": ErrorAnswer, "description": "no such video, or its results are gone"}}
NO_ROOM: Dict[Any, Dict[str, Any]] = {507: {"model": ErrorAnswer, "description": "no room on the disk of the service"}}
REQUEST_BODY: Dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {"schema": {"type": "object", "required": [FIELD], "properties": {FIELD: BINARY}}},
            BYTES: {"schema": BINARY},
        },
    }
}  # fmt: skip

router = APIRouter(prefix="/v1/videos", dependencies=[Depends(require_key)], tags=["videos"])


@router.post("", status_code=202, responses={202: {"model": VideoAnswer}, **ERRORS, **NO_ROOM}, openapi_extra=REQUEST_BODY)
async def upload(
    request: Request,
    draw: bool = Query(False, description="also make a video with the poses drawn on it"),
    threshold: float = Query(0.5, ge=0, le=1, description="smallest keypoint score that is drawn"),
) -> Response:
    """Upload a video; it is processed when its turn comes."""
    service = service_of(request)
    with service.videos.upload() as path:
        try:
            await (_save_form if media_type(request) == FORM else _save_body)(request, path)
        except OSError as error:
            raise RequestError(507, "disk_full", f"the service cannot store the video ({error.strerror}): try later") from error
        job = await asyncio.to_thread(service.videos.add, path, draw, threshold)
    return JSONResponse(_content(service, job), 202, {"Location": f"{router.prefix}/{job.id}"})


async def _save_body(request: Request, path: Path) -> None:
    kind = media_type(request)
    if kind and not kind.startswith("video/") and kind != BYTES:
        raise RequestError(415, "unknown_media_type", f"the content type is {kind}: send {FORM} with a file named {FIELD}, "
                           f"or the bytes of the file as video/mp4 or {BYTES}")
    with path.open("wb") as file:
        try:
            async for chunk in request.stream():
                await asyncio.to_thread(file.write, chunk)
        except ClientDisconnect:
            raise client_gone() from None


async def _save_form(request: Request, path: Path) -> None:
    source = await uploaded_file(request, FIELD)
    try:
        with path.open("wb") as file:
            while chunk := await source.read(CHUNK):
                await asyncio.to_thread(file.write, chunk)
    finally:
        await source.close()


@router.get("/{video_id}", responses={200: {"model": VideoAnswer}, **NOT_FOUND})
async def progress(request: Request, video_id: str) -> Response:
    """State and progress."""
    service = service_of(request)
    return JSONResponse(_content(service, service.videos.get(video_id)))


@router.get(
    "/{video_id}/{kind}",
    responses={200: {"model": VideoResult, "content": {MEDIA_TYPES["drawn"]: {}}}, **NOT_FOUND},
    response_class=FileResponse,
)
async def result(request: Request, video_id: str, kind: str) -> Response:
    """A result: "json", or "drawn" if it was asked for."""
    job = service_of(request).videos.get(video_id)
    path = job.result(kind)
    if path is None:
        raise RequestError(404, "no_result", f"the video is {job.state} and has no such result: wait until it is {DONE}; "
                           f"results are {' and '.join(RESULTS)}, the latter if the upload said draw=true")
    return FileResponse(path, media_type=MEDIA_TYPES[kind], filename=path.name)


@router.delete("/{video_id}", status_code=204, responses=NOT_FOUND)
async def remove(request: Request, video_id: str) -> Response:
    """End the work on a video, and remove its results."""
    await asyncio.to_thread(service_of(request).videos.remove, video_id)
    return Response(status_code=204)


def _content(service: Service, job: VideoJob) -> Dict[str, Any]:
    error = None if job.error is None else ErrorDetail(code=job.error[0], message=job.error[1]).model_dump()
    return {
        SCHEMA: VIDEO, "id": job.id, "state": job.state, "frames_done": job.frames_done, "frames_total": job.frames_total,
        "error": error, "results": {kind: f"{router.prefix}/{job.id}/{kind}" for kind in RESULTS if job.result(kind) is not None},
        "expires_seconds": service.videos.expires_seconds(job),
    }  # fmt: skip
