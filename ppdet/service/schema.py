"""What the service takes and answers, as OpenAPI describes it."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from pydantic import BaseModel, Field

from ppdet.service.schema_names import ERROR, MODEL, POSES, SCHEMA, VIDEO, VIDEO_RESULT


class PersonAnswer(BaseModel):
    """One person; coordinates are pixels of the upright image, the centre of the top-left pixel at (0, 0)."""

    box: List[float] = Field(description="x1, y1, x2, y2", min_length=4, max_length=4)
    box_score: float = Field(description="score of the box, 0 to 1")
    score: float = Field(description="mean score of the keypoints")
    keypoints: Dict[str, List[float]] = Field(description="x, y, score by name")
    id: Optional[int] = Field(default=None, description="identity through a video")  # noqa: A003


class DrawingAnswer(BaseModel):
    """The image with the poses drawn on it."""

    media_type: str
    base64: str


class PosesAnswer(BaseModel):
    """The people of one image."""

    schema_version: str = Field(alias="schema", examples=[POSES])
    width: int = Field(description="pixels of the upright image")
    height: int
    people: List[PersonAnswer]
    people_left_out: bool = Field(description="more people were found than are returned; those with the best boxes are listed")
    seconds: float = Field(description="from accepted image to poses")
    drawing: Optional[DrawingAnswer] = None


class Base64Image(BaseModel):
    """An image in JSON."""

    image: str = Field(description="base64 of an encoded image; a data: URL is understood, too")


class ErrorDetail(BaseModel):
    """Why a request is not answered."""

    code: str = Field(description="for programs; docs/serve.md lists all")
    message: str = Field(description="for people: what was given, what was expected, what to do")


class ErrorAnswer(BaseModel):
    """Any answer with a status of 400 or more."""

    schema_version: str = Field(alias="schema", examples=[ERROR])
    error: ErrorDetail


class VideoAnswer(BaseModel):
    """A video that was uploaded."""

    schema_version: str = Field(alias="schema", examples=[VIDEO])
    id: str  # noqa: A003
    state: str = Field(description="queued, running, done or failed")
    frames_done: int
    frames_total: Optional[int] = Field(description="as the container states; null if it states nothing")
    error: Optional[ErrorDetail] = None
    results: Dict[str, str] = Field(description="address of each result by its kind, once the state is done")
    expires_seconds: Optional[float] = Field(description="seconds until the results are removed")


class VideoFrame(BaseModel):
    """The people of one frame."""

    frame: int = Field(description="from 1 on")
    timestamp_ms: Optional[float] = None
    width: int
    height: int
    people: List[PersonAnswer]


class VideoResult(BaseModel):
    """The JSON result of a video."""

    schema_version: str = Field(alias="schema", examples=[VIDEO_RESULT])
    fps: float
    width: int
    height: int
    frames: List[VideoFrame]
    missing: int = Field(description="frames stated by the container that are missing at the end")
    unreadable: List[int] = Field(description="numbers of frames that could not be decoded; they have no people")


class ModelAnswer(BaseModel):
    """What the service runs, and how to draw it."""

    schema_version: str = Field(alias="schema", examples=[MODEL])
    version: str = Field(description="of ppdet")
    pose_model: str
    detector: Optional[str]
    keypoints: List[str] = Field(description="names in the order of every person's keypoints")
    keypoint_colors: List[str]
    links: List[List[str]] = Field(description="pairs of keypoints to draw a line between")
    link_colors: List[str]
    formats: List[str] = Field(description="accepted image formats")
    limits: Dict[str, float]


def error_content(code: str, message: str) -> Dict[str, Any]:
    """The body of an answer with an error."""
    return {SCHEMA: ERROR, "error": {"code": code, "message": message}}
