"""Names and versions of the answers' schemas. A change that breaks clients gets a new number."""

from __future__ import annotations

SCHEMA = "schema"
POSES, ERROR, MODEL = "ppdet.poses/1", "ppdet.error/1", "ppdet.model/1"
VIDEO, VIDEO_RESULT = "ppdet.video/1", "ppdet.video_result/1"
