"""Opens videos, streams and cameras, and finds the reason if that fails."""
from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import getproxies

import cv2

from ppdet.core.errors import MediaError
from ppdet.inference.files.urls import host_and_port, is_url, split_url, with_quoted_login, without_secrets
from ppdet.inference.video.path import check_video_path
from ppdet.inference.video.plain_gif import playable

# schemes of live streams
LIVE_SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "rtp", "udp", "srt", "tcp", "mms", "mmsh", "mmst")
TCP_PORTS = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "rtmps": 443, "http": 80, "https": 443}
SECONDS_TO_CONNECT = 5.0


def open_capture(source: str | Path | int) -> cv2.VideoCapture:
    """An open capture of OpenCV.

    Args:
        source: path or URL of a video, URL of a stream, or number of a camera.

    Raises:
        MediaError: it cannot be opened; the message contains the reason if known, and no password.
    """
    if isinstance(source, int):
        with quiet_opencv():
            capture = cv2.VideoCapture(source)
        advice = (f"camera {source} does not open: check that it is connected, not in use and allowed, or try another "
                  "number (0 is the first)")
    elif is_url(source):
        _check_server(str(source))
        with quiet_opencv():  # its warnings contain the URL and thereby the password
            capture = cv2.VideoCapture(with_quoted_login(str(source)), cv2.CAP_FFMPEG)
        advice = (f"{without_secrets(source)} gives no video that OpenCV can read: check the path, and the user name and "
                  "password if it needs them; a player such as VLC shows whether the stream works at all")
    else:
        check_video_path(source)
        with playable(Path(source)) as path:
            capture = cv2.VideoCapture(str(path))
        advice = (f"{source} does not open as a video: it is damaged, cut off or of a kind that this OpenCV cannot read; convert "
                  "it, for example with: ffmpeg -i INPUT -c:v mpeg4 OUTPUT.mp4")
    if not capture.isOpened():
        capture.release()
        raise MediaError(advice)
    return capture


def is_live(source: str | Path | int) -> bool:
    """Whether a source is a camera or a live stream, which must be stopped by the user."""
    if isinstance(source, int):
        return True
    return is_url(source) and split_url(str(source)).scheme in LIVE_SCHEMES


def _check_server(url: str) -> None:
    """Raise an error if nothing listens at the URL's host and port; FFmpeg's error would not state the reason."""
    scheme = split_url(url).scheme
    place = host_and_port(url, TCP_PORTS)
    if scheme not in TCP_PORTS or place is None or scheme in getproxies():
        return
    host, port = place
    shown = without_secrets(url)
    try:
        socket.create_connection(place, timeout=SECONDS_TO_CONNECT).close()
    except ConnectionRefusedError:
        raise MediaError(f"{shown}: the connection to {host}, port {port}, was refused: nothing listens there. Is the camera or "
                         "server on, and the port right?") from None
    except socket.gaierror:
        raise MediaError(f"{shown}: the host {host} is not known here: check the address and the network") from None
    except TimeoutError:
        raise MediaError(f"{shown}: {host}, port {port}, does not answer within {SECONDS_TO_CONNECT:g} s: check the address, the "
                         "network and the firewall") from None
    except OSError as error:
        raise MediaError(f"{shown}: no connection to {host}, port {port}: {error.strerror or error}") from None


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Suppress OpenCV's log lines within the block."""
    logs: Any = getattr(cv2.utils, "logging", None)  # OpenCV 4 and 5
    if logs is None:
        yield
        return
    level = logs.getLogLevel()
    logs.setLogLevel(logs.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logs.setLogLevel(level)
