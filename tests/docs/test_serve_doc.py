"""docs/serve.md lists every address, code and metric of the service, and its example is valid."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("fastapi")

from ppdet.service.app import CODES  # noqa: E402
from ppdet.service.metrics import Metrics  # noqa: E402
from ppdet.service.routes import page, poses, status, videos  # noqa: E402
from ppdet.service.schema import PosesAnswer  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")
WAYS = (r"RequestError\(\d+, ", r"too_busy\(", r"_answer\(request, \d+, ")
"""How a code gets into an answer."""
NEVER_SEEN = {"client_gone"}  # the client has closed the connection


def test_the_example_is_valid() -> None:
    (example,) = re.findall(r"```json\n(.+?)```", PAGE, flags=re.S)
    found = PosesAnswer.model_validate(json.loads(example))
    assert found.schema_version == "ppdet.poses/1" and found.people[0].keypoints


def test_every_code_is_listed() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "ppdet" / "service").rglob("*.py"))
    used = {code for way in WAYS for code in re.findall(way + r'"(\w+)"', source)} | set(CODES.values())
    of_videos = set(re.findall(r'"(video_(?:too|memory|crashed)\w*|damaged_video)"', source))
    listed = set(re.findall(r"`(\w+)`", PAGE.split("| status | codes |")[1].split("## How it works")[0]))
    assert used - NEVER_SEEN <= listed, used - NEVER_SEEN - listed
    assert of_videos <= listed and len(of_videos) == 5, of_videos - listed


def test_every_address_is_listed() -> None:
    for part in (poses, videos, status):
        for route in part.router.routes:
            path = route.path.replace("/{video_id}/{kind}", "/ID/json").replace("{video_id}", "ID")  # type: ignore[attr-defined]
            assert f"{path}`" in PAGE or f"{path}`," in PAGE, path
    assert {"/", "/page/main.js"} <= set(page.FILES)


def test_every_metric_is_listed() -> None:
    names = set(re.findall(r"^# TYPE (ppdet_\w+) ", Metrics().text().decode(), flags=re.M))
    assert len(names) >= 5
    for name in (each for each in names if not each.endswith("_created")):
        assert f"`{name}`" in PAGE, name
