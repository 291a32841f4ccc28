"""URLs: no password anywhere, images from the web, and cameras by any name."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.web_server import serving

from ppdet.core.errors import MediaError
from ppdet.inference.files.source_names import camera_number
from ppdet.inference.files.urls import fetch_image, is_url, output_name, with_quoted_login, without_secrets

PNG = cv2.imencode(".png", np.zeros((4, 6, 3), np.uint8))[1].tobytes()


@pytest.mark.parametrize(
    ("source", "shown", "name"),
    [
        ("rtsp://admin:S3cret@10.0.0.7:554/cam/1", "rtsp://10.0.0.7:554/cam/1", "10.0.0.7_554_cam_1.mp4"),
        ("rtsp://admin:p@ss/word?#@host/live", "rtsp://host/live", "host_live.mp4"),
        ("http://host/clip.mkv?token=S3cret", "http://host/clip.mkv?...", "clip.mkv"),
        ("RTSP://u:p@host", "rtsp://host", "host.mp4"),
        ("http://host/a.mp4;jsessionid=S3cret?x=1", "http://host/a.mp4?...", "a.mp4"),
        ("rtsp:/user:S3cret@host/live", "rtsp:/host/live", "live"),
        ("http:\\\\user:S3cret@host\\a.mp4", "http:\\\\host\\a.mp4", "a.mp4"),
        ("videos/clip.mp4", "videos/clip.mp4", "clip.mp4"),
        ("C:\\videos\\clip.mp4", "C:\\videos\\clip.mp4", "clip.mp4"),
    ],
)
def test_what_is_shown_of_a_url(source: str, shown: str, name: str) -> None:
    assert (without_secrets(source), output_name(source)) == (shown, name)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8), st.sampled_from(["rtsp", "http", "srt"]))
def test_no_password_is_shown(secret: str, scheme: str) -> None:
    secret = f"S3c{secret}ret"
    for url in (f"{scheme}://user:{secret}@host:80/path", f"{scheme}://host/path?key={secret}"):
        assert is_url(url) and secret not in without_secrets(url) and secret not in output_name(url)


def test_logins_are_escaped_for_ffmpeg() -> None:
    assert with_quoted_login("rtsp://u:p@s/s@h/x?y=1") == "rtsp://u:p%40s%2Fs@h/x?y=1"
    assert with_quoted_login("rtsp://u:p%40s@h/x") == "rtsp://u:p%40s@h/x"
    assert with_quoted_login("rtsp://h/x") == "rtsp://h/x"


def test_images_from_the_web() -> None:
    html = (200, {"Content-Type": "text/html"}, b"<html>")
    answers = {
        "/a.png": (200, {"Content-Type": "image/png"}, PNG), "/photo": (200, {"Content-Type": "image/png"}, PNG), "/page": html,
        "/cut.png": (200, {"Content-Length": str(len(PNG) + 9)}, PNG), "/private.png": (401, {}, b""),
    }  # fmt: skip
    with serving(answers) as (host, requests):
        assert fetch_image(f"http://{host}/a.png?size=1") == fetch_image(f"http://{host}/photo") == PNG
        assert fetch_image(f"http://user:S3cret@{host}/a.png") == PNG
        assert requests[-1]["Authorization"] == "Basic dXNlcjpTM2NyZXQ="
        assert fetch_image(f"http://{host}/page") is None and fetch_image("rtsp://host/a.png") is None
        with pytest.raises(MediaError, match="larger than 0 MiB"):
            fetch_image(f"http://{host}/a.png", most=10)
        with pytest.raises(MediaError, match="cut short"):
            fetch_image(f"http://{host}/cut.png")
        with pytest.raises(MediaError, match=r"private.png\?...: the server answers 401") as caught:
            fetch_image(f"http://user:S3cret@{host}/private.png?key=S3cret")
        assert "S3cret" not in str(caught.value)
    with pytest.raises(MediaError, match="cannot be fetched"):
        fetch_image(f"http://{host}/a.png")
    with pytest.raises(MediaError, match="cannot be fetched; check"):
        fetch_image("http://host:S3cret/a.png")


def test_cameras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [camera_number(text) for text in ("0", 2, "/dev/video3", "12")] == [0, 2, 3, 12]
    assert [camera_number(text) for text in ("-1", "a", "/dev/null", "video.mp4", "1234", "0.5")] == [None] * 6
    monkeypatch.chdir(tmp_path)
    (tmp_path / "7").touch()
    assert camera_number("7") is None  # a file of that name wins
