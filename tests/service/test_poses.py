"""Images in, poses out: every way to send one, the answer's schema, drawings, and what is refused."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi.testclient import TestClient
from support.image_files import bomb_png, with_exif
from support.served import IMAGE_WH, NAMES, assert_planted, encoded, planted_image

from ppdet.inference.estimators.detections import Detections
from ppdet.service.schema import ErrorAnswer, ModelAnswer, PosesAnswer
from ppdet.service.served_models import SurestPeople

PNG = encoded(planted_image())
TEXT = base64.b64encode(PNG).decode()
KEY = "0123456789abcdef"


def code_of(answer: Any, status: int) -> str:
    """The code of an error, which must be as described and of that status."""
    assert answer.status_code == status, answer.text
    assert "/tmp/" not in answer.text and "Traceback" not in answer.text
    return ErrorAnswer.model_validate(answer.json()).error.code


WAYS = {
    "bytes": {"content": PNG, "headers": {"content-type": "image/png"}},
    "bytes without a type": {"content": PNG},
    "octets": {"content": PNG, "headers": {"content-type": "application/octet-stream"}},
    "form": {"files": {"image": ("../../etc/passwd", PNG, "text/html")}},
    "base64": {"json": {"image": TEXT}},
    "data URL": {"json": {"image": f"data:image/png;base64,{TEXT}"}},
    "chunks": {"content": iter([PNG[:100], PNG[100:]])},
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_send_an_image(client: TestClient, way: str) -> None:
    answer = client.post("/v1/poses", **WAYS[way])
    assert answer.status_code == 200, answer.text
    content = answer.json()
    found = PosesAnswer.model_validate(content)
    assert content["schema"] == "ppdet.poses/1" and (found.width, found.height) == IMAGE_WH
    assert not found.people_left_out and found.drawing is None and found.seconds > 0
    assert list(found.people[0].keypoints) == list(NAMES)
    assert_planted(content["people"])


def test_nobody_in_the_image(client: TestClient) -> None:
    answer = client.post("/v1/poses", content=encoded(np.zeros((20, 30, 3), np.uint8)))
    assert answer.json()["people"] == [] and (answer.json()["width"], answer.json()["height"]) == (30, 20)


def test_an_image_is_turned_as_its_exif_orientation_says(client: TestClient, tmp_path: Any) -> None:
    stored = np.ascontiguousarray(np.rot90(planted_image()))  # orientation 6 turns it back, clockwise
    answer = client.post("/v1/poses", content=with_exif(tmp_path / "turned.png", stored, 6).read_bytes()).json()
    assert (answer["width"], answer["height"]) == IMAGE_WH
    assert_planted(answer["people"])


def test_drawings(client: TestClient) -> None:
    inside = client.post("/v1/poses?draw=true&threshold=0.3", content=PNG).json()["drawing"]
    alone = client.post("/v1/drawing?threshold=0.3", content=PNG)
    assert alone.headers["content-type"] == inside["media_type"] == "image/jpeg"
    assert alone.content == base64.b64decode(inside["base64"])
    drawn = cv2.imdecode(np.frombuffer(alone.content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    assert drawn.shape == (*IMAGE_WH[::-1], 3)
    changed = np.abs(drawn - planted_image()).max(axis=2) > 60
    assert changed[40, 30] or changed[42, 30], "the nose is drawn"
    blank = client.post("/v1/drawing?threshold=1", content=PNG).content
    assert blank != alone.content


REFUSED = {
    "nothing": ({"content": b""}, 400, "empty_body"),
    "text": ({"content": b"hello there, this is no image"}, 415, "unknown_format"),
    "a TIFF": ({"content": encoded(planted_image(), ".tiff")}, 415, "unknown_format"),
    "half a PNG": ({"content": PNG[: len(PNG) // 2]}, 422, "damaged_image"),
    "a bomb": ({"content": bomb_png(12000, 12000)}, 413, "too_many_pixels"),
    "a thin bomb": ({"content": bomb_png(1, 60000)}, 413, "too_many_pixels"),
    "another media type": ({"content": PNG, "headers": {"content-type": "text/csv"}}, 415, "unknown_media_type"),
    "no JSON": ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "bad_json"),
    "deep JSON": ({"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}, 400, "bad_json"),
    "JSON without an image": ({"json": {"photo": TEXT}}, 400, "bad_json"),
    "JSON with a number": ({"json": {"image": 7}}, 400, "bad_json"),
    "a path in JSON": ({"json": {"image": "/etc/passwd"}}, 400, "bad_base64"),
    "a URL in JSON": ({"json": {"image": "http://127.0.0.1/photo.jpg"}}, 400, "bad_base64"),
    "another field": ({"files": {"photo": ("a.png", PNG)}}, 400, "bad_form"),
    "a field without a file": ({"data": {"image": "x"}, "files": {"other": ("a.png", PNG)}}, 400, "bad_form"),
    "two files": ({"files": [("image", ("a.png", PNG)), ("image", ("b.png", PNG))]}, 400, "bad_form"),
    "a form that is none": ({"content": PNG, "headers": {"content-type": "multipart/form-data"}}, 400, "bad_form"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(client: TestClient, case: str) -> None:
    request, status, code = REFUSED[case]
    assert code_of(client.post("/v1/poses", **request), status) == code


def test_wrong_parameters_paths_and_methods(client: TestClient) -> None:
    assert code_of(client.post("/v1/poses?threshold=7", content=PNG), 422) == "bad_parameter"
    assert code_of(client.post("/v1/poses?draw=perhaps", content=PNG), 422) == "bad_parameter"
    assert code_of(client.get("/v1/poses"), 405) == "wrong_method"
    for path in ("/nothing", "/page/../state.py", "/page/%2e%2e/state.py", "/page//etc/passwd", "/docs", "/redoc"):
        assert code_of(client.get(path), 404) == "not_found"


def test_limits_of_size_and_pixels(client_with: Callable[..., TestClient]) -> None:
    client = client_with(body_mib=1, memory_mib=1, pixels=100 * 100)
    assert code_of(client.post("/v1/poses", content=bytes((1 << 20) + 1)), 413) == "body_too_large"
    assert code_of(client.post("/v1/poses", content=iter([bytes(1 << 19)] * 3)), 413) == "body_too_large"
    assert code_of(client.post("/v1/poses", files={"image": ("a", bytes(1 << 20))}), 413) == "body_too_large"
    assert code_of(client.post("/v1/poses", content=PNG), 413) == "too_many_pixels"
    assert client.post("/v1/poses", content=encoded(np.zeros((100, 100, 3), np.uint8))).status_code == 200
    text = client.get("/metrics").text
    assert 'ppdet_problems_total{code="body_too_large"} 3.0' in text


def test_limit_of_people(client_with: Callable[..., TestClient]) -> None:
    client = client_with(people=2)
    service = client.app.state.service  # type: ignore[attr-defined]
    asked: list[int] = []

    class Crowd:
        person_label = 0

        def detect(self, images: Any) -> list[Detections]:
            boxes = np.tile(np.array([[0, 0, 90, 120]], np.float32), (5, 1)) + np.arange(5, dtype=np.float32)[:, None]
            scores = np.array([0.6, 0.9, 0.7, 0.95, 0.8], np.float32)
            return [Detections(boxes, scores, np.zeros(5, np.int64)) for _ in images]

    estimate = service.pipeline.estimator.poses
    service.pipeline.detector = SurestPeople(Crowd(), 3)

    def counted(images: Any, boxes: Any, *rest: Any) -> Any:
        asked.append(len(boxes[0][0]))
        return estimate(images, boxes, *rest)

    service.pipeline.estimator.poses = counted
    answer = client.post("/v1/poses", content=PNG).json()
    assert [person["box_score"] for person in answer["people"]] == pytest.approx([0.95, 0.9], abs=1e-4)
    assert answer["people_left_out"] is True
    assert asked == [3], "no more poses are estimated than are needed to know that there are too many people"


def test_api_key(client_with: Callable[..., TestClient]) -> None:
    client = client_with(api_key=KEY)
    for headers in ({}, {"x-api-key": "wrong"}, {"authorization": f"Basic {KEY}"}, {"x-api-key": KEY + "x"}):
        for path in ("/v1/poses", "/v1/drawing", "/v1/videos"):
            answer = client.post(path, content=PNG, headers=headers)
            assert code_of(answer, 401) == "wrong_key" and answer.headers["www-authenticate"] == "Bearer"
        for path in ("/v1/model", "/metrics", "/v1/videos/x", "/v1/videos/x/json"):
            assert code_of(client.get(path, headers=headers), 401) == "wrong_key"
        assert code_of(client.delete("/v1/videos/x", headers=headers), 401) == "wrong_key"
    for headers in ({"x-api-key": KEY}, {"authorization": f"Bearer {KEY}"}):
        assert client.post("/v1/poses", content=PNG, headers=headers).status_code == 200
    for path in ("/", "/page/main.js", "/health", "/ready", "/openapi.json"):
        assert client.get(path).status_code == 200


def test_status_and_model(client: TestClient) -> None:
    assert client.get("/health").text == "ok\n" and client.get("/ready").text == "ready\n"
    found = ModelAnswer.model_validate(client.get("/v1/model").json())
    assert (found.pose_model, found.detector, found.keypoints) == ("kpt", "det", list(NAMES))
    assert found.links == [["nose", "left_hand"], ["nose", "right_hand"]] and len(found.link_colors) == 2
    assert found.limits["queue"] == 64
    client.post("/v1/poses", content=PNG)
    text = client.get("/metrics").text
    while "ppdet_open_images 0.0" not in text:  # an image is closed just after its answer was sent
        text = client.get("/metrics").text
    for line in ('ppdet_requests_total{route="/v1/poses",status="200"}', 'ppdet_request_seconds_count{route="/v1/poses"}',
                 "ppdet_batch_images_count", "ppdet_people_total", "ppdet_videos 0.0"):  # fmt: skip
        assert line in text
    client.get("/some/path/of/a/client")
    assert "path/of/a/client" not in client.get("/metrics").text, "clients must not be able to make labels"


def test_open_api_describes_it(client: TestClient) -> None:
    content = client.get("/openapi.json").json()
    assert set(content["paths"]) == {"/v1/poses", "/v1/drawing", "/v1/videos", "/v1/videos/{video_id}",
                                     "/v1/videos/{video_id}/{kind}", "/health", "/ready", "/metrics", "/v1/model"}  # fmt: skip
    poses = content["paths"]["/v1/poses"]["post"]
    assert {"multipart/form-data", "application/json", "image/jpeg"} <= set(poses["requestBody"]["content"])
    assert {"200", "400", "401", "413", "429", "503", "504"} <= set(poses["responses"])
    assert {"PosesAnswer", "Base64Image", "ErrorAnswer", "VideoAnswer"} <= set(content["components"]["schemas"])


def test_the_page_is_whole_and_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for name in ("page.css", "main.js", "service.js", "canvas.js", "sources.js"):
        answer = client.get(f"/page/{name}")
        assert answer.status_code == 200 and "://" not in answer.text
    assert "://" not in page.text
