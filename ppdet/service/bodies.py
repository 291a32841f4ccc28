"""Reads the image of a request: raw bytes, a multipart form, or base64 in JSON. File names are ignored."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from ppdet.service.batches.images import FORMATS
from ppdet.service.problems import RequestError

JSON, FORM, BYTES = "application/json", "multipart/form-data", "application/octet-stream"
FIELD = "image"
WANTED_JSON = f'{{"{FIELD}": "BASE64"}}'
MOST_FIELDS = 8
MOST_FIELD_BYTES = 1 << 16
MEDIA_TYPES = (BYTES, *FORMATS.values())

BINARY = {"type": "string", "format": "binary"}
REQUEST_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {"schema": {"type": "object", "required": [FIELD], "properties": {FIELD: BINARY}}},
            JSON: {"schema": {"$ref": "#/components/schemas/Base64Image"}},
            **{each: {"schema": BINARY} for each in MEDIA_TYPES},
        },
    }
}  # fmt: skip
"""The body of a request with an image, for OpenAPI."""


async def image_of_request(request: Request) -> bytes:
    """The encoded image.

    Raises:
        RequestError: another media type, a form without an image, JSON that is not as described, or a client that went away.
    """
    kind = media_type(request)
    if kind == FORM:
        return await _of_form(request)
    if kind == JSON:
        return await asyncio.to_thread(_of_json, await whole_body(request))
    if kind and not kind.startswith("image/") and kind != BYTES:
        raise RequestError(415, "unknown_media_type", f"the content type is {kind}: send {FORM} with a file named {FIELD}, "
                           f"{JSON} with base64 named {FIELD}, or the bytes of the file as image/jpeg or {BYTES}")
    return await whole_body(request)


def media_type(request: Request) -> str:
    """The content type without its parameters, in lower case; "" if none is stated."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def client_gone() -> RequestError:
    """The client closed the connection; nobody sees this answer."""
    return RequestError(499, "client_gone", "the client closed the connection before it had its answer")


async def whole_body(request: Request) -> bytes:
    """The body, within the bounds that the guard sets."""
    try:
        return await request.body()
    except ClientDisconnect:
        raise client_gone() from None


async def _of_form(request: Request) -> bytes:
    file = await uploaded_file(request, FIELD)
    try:
        return await file.read()
    finally:
        await file.close()


async def uploaded_file(request: Request, field: str) -> UploadFile:
    """The file of a form; the caller closes it.

    Raises:
        RequestError: the form does not parse, or there is no such file, or several.
    """
    try:
        form = await request.form(max_files=1, max_fields=MOST_FIELDS, max_part_size=MOST_FIELD_BYTES)
    except ClientDisconnect:
        raise client_gone() from None
    except HTTPException as error:
        raise RequestError(400, "bad_form", f"the form does not parse ({error.detail}): send one file named {field}") from error
    file = form.get(field)
    if not isinstance(file, UploadFile):
        given = ", ".join(sorted({str(name)[:40] for name in form})) or "nothing"
        await form.close()
        raise RequestError(400, "bad_form", f"the form has no file named {field} (it has {given}): give it that name, and "
                           "a file name")
    return file


def _of_json(body: bytes) -> bytes:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, "bad_json", f"the body is not JSON ({str(error)[:100]}): send {WANTED_JSON}") from None
    text = content.get(FIELD) if isinstance(content, dict) else None
    if not isinstance(text, str):
        raise RequestError(400, "bad_json", f"the JSON has no text named {FIELD}: send {WANTED_JSON}")
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(400, "bad_base64", f"{FIELD} is not base64 ({error}): encode the bytes of the file, without line "
                           "breaks") from None
