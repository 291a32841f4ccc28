"""Tells what the sources on a command line are: images, videos, cameras, streams."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from ppdet.core.errors import MediaError
from ppdet.image.io import IMAGE_SUFFIXES, list_images
from ppdet.inference.video.path import check_video_path

CAMERA = re.compile(r"(?:/dev/video)?(\d+)")


@dataclass
class Sources:
    """What a command runs on, in the order given within each kind.

    Attributes:
        images: files, those of folders included.
        image_urls: images on the web.
        videos: (what to open, name of its drawing) of files, cameras and streams.
    """

    images: list[Path] = field(default_factory=list)
    image_urls: list[str] = field(default_factory=list)
    videos: list[tuple[str | int, str]] = field(default_factory=list)


def find_sources(texts: list[str]) -> Sources:
    """Sort out sources.

    Args:
        texts: image, folder of images, video, number of a camera, URL of an image or stream. An existing file or folder wins
            over a number.

    Raises:
        MediaError: one is none of these; found before any work.
    """
    sources = Sources()
    for text in texts:
        path = Path(text)
        camera = CAMERA.fullmatch(text)
        if "://" in text:
            _add_url(sources, text)
        elif path.is_dir():
            sources.images += list_images(text)
        elif camera is not None and not path.is_file():
            sources.videos.append((int(camera[1]), f"camera{camera[1]}.mp4"))
        elif path.suffix.lower() in IMAGE_SUFFIXES:
            if not path.is_file():
                raise MediaError(f"there is no image {text}: check the path")
            sources.images.append(path)
        elif not path.exists():
            raise MediaError(f"there is no file or folder {text}: give an image, a folder of images, a video, the number of a "
                             "camera or a URL")
        else:
            check_video_path(text)
            sources.videos.append((text, path.name))
    return sources


def _add_url(sources: Sources, url: str) -> None:
    parts = urlsplit(url)
    name = PurePosixPath(parts.path).name
    if parts.scheme in ("http", "https") and PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES:
        sources.image_urls.append(url)
        return
    stem = re.sub(r"[^\w.-]+", "_", PurePosixPath(name).stem or parts.hostname or "stream")  # never the password of a URL
    sources.videos.append((url, f"{stem}.mp4"))
