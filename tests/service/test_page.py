"""The page in a real browser: files, video, webcam, hover, threshold, download, errors, a phone's screen."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from support.planted_models import planted_person
from support.served import IMAGE_WH, NAMES, POINTS, Running, encoded, planted_image, running_server, write_clip

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt install chromium)"),
]
LONG = 120_000
FLAGS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--disable-gpu"]
KEY = "0123456789abcdef"
LARGE = 8
"""The planted person so many times as large, as people's photos are."""
COLORS = ((0x28, 0xA0, 0xE6), (0x3C, 0xC8, 0x50), (0xFF, 0x78, 0x28))
"""Of its keypoints, by their sides."""
PHONE = {"width": 390, "height": 844}
SCREENSHOTS = os.environ.get("PPDET_SCREENSHOTS")
"""Folder for pictures of the page, to be looked at."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_server(tmp_path_factory.mktemp("page")) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=LONG)
        yield found
        found.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens the page of a server; at the end there must be no message of the browser's, and no request to elsewhere."""
    messages: list[str] = []
    foreign: list[str] = []
    contexts = []

    def open_page(running: Running, **options: Any) -> Any:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(LONG)
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("console", lambda each: messages.append(each.text) if is_unexpected(each) else None)
        page.on("request", lambda each: None if each.url.startswith((running.url, "blob:")) else foreign.append(each.url))
        page.goto(running.url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not messages and not foreign, (messages, foreign)


def is_unexpected(message: Any) -> bool:
    """An error in the browser's console; refusals of the service are there as well, and expected."""
    return message.type == "error" and "status of 4" not in message.text


def drop(page: Any, name: str, media_type: str, data: bytes) -> None:
    """Drop a file on the page, as a person does with the mouse."""
    page.evaluate(
        """([name, type, text]) => {
            const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name, { type }));
            const options = { bubbles: true, cancelable: true, dataTransfer: transfer };
            document.getElementById("stage").dispatchEvent(new DragEvent("dragover", options));
            document.getElementById("stage").dispatchEvent(new DragEvent("drop", options));
        }""",
        [name, media_type, base64.b64encode(data).decode()],
    )


def status_is(page: Any, pattern: str) -> None:
    page.wait_for_function("(pattern) => new RegExp(pattern).test(document.getElementById('status').textContent)", arg=pattern)


def picture(page: Any, name: str) -> None:
    if SCREENSHOTS:
        page.screenshot(path=str(Path(SCREENSHOTS) / f"{name}.png"), full_page=True)


def downloaded(page: Any) -> Any:
    with page.expect_download() as found:
        page.click("#download")
    return found.value.suggested_filename, json.loads(Path(found.value.path()).read_text())


def pixels(page: Any) -> np.ndarray:
    """(H, W, 3) what the canvas shows."""
    address = page.evaluate("document.getElementById('canvas').toDataURL('image/png')")
    data = np.frombuffer(base64.b64decode(address.partition(",")[2]), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].astype(int)


def photo_pixels() -> np.ndarray:
    """The large planted person."""
    return planted_person([LARGE * side for side in IMAGE_WH], POINTS * LARGE, 6.0 * LARGE)


def set_threshold(page: Any, value: float) -> None:
    page.evaluate("(value) => { const slider = document.getElementById('threshold'); slider.value = value; "
                  "slider.dispatchEvent(new Event('input')); }", value)


def test_an_image_is_dropped(server: Running, opened: Callable[..., Any]) -> None:
    page = opened(server)
    page.wait_for_function("document.getElementById('model').textContent === 'kpt with det'")
    picture(page, "empty")
    drop(page, "photo.png", "image/png", encoded(photo_pixels()))
    status_is(page, r"^1 person, \d+ ms")
    shown = pixels(page)
    assert shown.shape == (LARGE * IMAGE_WH[1], LARGE * IMAGE_WH[0], 3)
    for (x, y), color in zip(POINTS.astype(int) * LARGE, COLORS):
        assert np.abs(shown[y, x] - color).max() < 5, "each keypoint has its colour"
    name, content = downloaded(page)
    assert name == "photo.json" and content["schema"] == "ppdet.poses/1"
    found = np.array([content["people"][0]["keypoints"][each][:2] for each in NAMES])
    assert np.abs(found - POINTS * LARGE).max() < LARGE
    frame = page.locator("#canvas").bounding_box()
    scale = frame["width"] / IMAGE_WH[0]
    page.mouse.move(frame["x"] + POINTS[1, 0] * scale, frame["y"] + POINTS[1, 1] * scale)
    assert page.locator("#tip").inner_text().startswith("left_hand ")
    picture(page, "image")
    page.mouse.move(frame["x"] + 1, frame["y"] + frame["height"] - 2)
    assert page.locator("#tip").is_hidden()
    set_threshold(page, 1)
    assert page.locator("#threshold-value").inner_text() == "1.00"
    bare, photo = pixels(page), photo_pixels()
    inside = (slice(20, -20), slice(20, -20))  # the box is still drawn, along the border
    assert np.array_equal(bare[inside], photo[inside]) and not np.array_equal(shown[inside], photo[inside])


def test_a_file_is_chosen_and_replaced(server: Running, opened: Callable[..., Any], tmp_path: Path) -> None:
    page = opened(server)
    (tmp_path / "dark.png").write_bytes(encoded(np.zeros((20, 30, 3), np.uint8)))
    page.set_input_files("#file", str(tmp_path / "dark.png"))
    status_is(page, "^0 people")
    assert pixels(page).shape == (20, 30, 3)


def test_errors_are_shown_and_go_away(server: Running, opened: Callable[..., Any]) -> None:
    page = opened(server)
    drop(page, "text.jpg", "image/jpeg", b"this is no image")
    page.wait_for_selector("#error:visible")
    assert "not an image in a supported format" in page.locator("#error").inner_text()
    assert page.locator("#download").is_disabled() and page.locator("#canvas").is_hidden()
    picture(page, "error")
    drop(page, "photo.png", "image/png", encoded(planted_image()))
    status_is(page, "^1 person")
    assert page.locator("#error").is_hidden()
    drop(page, "clip.mp4", "video/mp4", b"this is no video, either")
    page.wait_for_selector("#error:visible")
    assert "does not begin like a video" in page.locator("#error").inner_text()


def test_a_video_is_processed_and_played(server: Running, opened: Callable[..., Any], tmp_path: Path) -> None:
    page = opened(server)
    drop(page, "clip.webm", "video/webm", write_clip(tmp_path / "clip.webm", 20).read_bytes())
    status_is(page, r"^20 frames, 1 person; frame \d+, [\d.]+ frames/s")
    assert np.abs(pixels(page) - np.array(COLORS[1])).max(axis=2).min() < 40, "a limb of the left side"
    name, content = downloaded(page)
    assert name == "clip.json" and content["schema"] == "ppdet.video_result/1" and len(content["frames"]) == 20
    page.click("#play")
    assert page.evaluate("document.getElementById('video').paused")
    picture(page, "video")
    page.click("#stop")
    assert page.locator("#hint").is_visible() and page.locator("#download").is_disabled()


def test_the_webcam(server: Running, opened: Callable[..., Any]) -> None:
    page = opened(server, permissions=["camera"])
    page.click("#webcam")
    status_is(page, r"(person|people), [\d.]+ frames/s")
    assert pixels(page).max() > 100
    name, content = downloaded(page)
    assert name == "webcam.json" and content["schema"] == "ppdet.poses/1"
    picture(page, "webcam")
    page.click("#stop")
    assert page.evaluate("document.getElementById('video').srcObject === null")
    assert page.locator("#canvas").is_hidden()


def test_an_address_without_a_webcam_says_why(server: Running, opened: Callable[..., Any]) -> None:
    page = opened(server)
    page.evaluate("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")  # as browsers do for plain http
    page.click("#webcam")
    page.wait_for_selector("#error:visible")
    assert "https or localhost" in page.locator("#error").inner_text()


def test_a_phone(server: Running, opened: Callable[..., Any]) -> None:
    page = opened(server, viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    drop(page, "photo.png", "image/png", encoded(photo_pixels()))
    status_is(page, "^1 person")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], "nothing is wider than the screen"
    for button in page.locator("button:visible, label.button").all():
        assert button.bounding_box()["height"] >= 44, "large enough for a finger"
    frame = page.locator("#canvas").bounding_box()
    scale = frame["width"] / IMAGE_WH[0]
    page.touchscreen.tap(frame["x"] + POINTS[0, 0] * scale, frame["y"] + POINTS[0, 1] * scale)
    assert page.locator("#tip").inner_text().startswith("nose ")
    picture(page, "phone")


def test_an_api_key_is_asked_for(opened: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    with running_server(tmp_path, "--api_key_file", str(tmp_path / "key")) as server:
        page = opened(server)
        page.wait_for_selector("#key-form:visible")
        picture(page, "key")
        for key, is_right in (("wrong", False), (KEY, True)):
            page.fill("#key", key)
            page.click("#key-form button")
            page.wait_for_function("() => document.getElementById('key').value === ''")
            if not is_right:
                page.wait_for_selector("#error:visible")
        page.wait_for_function("document.getElementById('model').textContent !== ''")
        drop(page, "photo.png", "image/png", encoded(planted_image()))
        status_is(page, "^1 person")
