"""Names and versions of what the service answers. A change that breaks a client gets a new number."""

from __future__ import annotations

SCHEMA = "schema"
POSES, ERROR, MODEL = "ppdet.poses/1", "ppdet.error/1", "ppdet.model/1"
VIDEO, VIDEO_RESULT = "ppdet.video/1", "ppdet.video_result/1"
