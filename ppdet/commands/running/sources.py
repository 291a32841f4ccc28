"""Identifies the sources on a command line: images, videos, cameras, streams."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ppdet.core.errors import MediaError
from ppdet.image.io import IMAGE_SUFFIXES, is_photo_file, list_images
from ppdet.inference.files.source_names import camera_number
from ppdet.inference.files.urls import is_url, output_name, split_url, without_secrets
from ppdet.inference.video.path import check_video_path

FEW_IMAGES = 8


@dataclass
class Sources:
    """Sources of a command, in the given order within each kind.

    Attributes:
        images: files, those of folders included.
        image_urls: URLs of images.
        videos: (source, name of its drawn video) of files, cameras and streams.
    """

    images: list[Path] = field(default_factory=list)
    image_urls: list[str] = field(default_factory=list)
    videos: list[tuple[str | int, str]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Number of images and videos."""
        return len(self.images) + len(self.image_urls) + len(self.videos)

    @property
    def are_few(self) -> bool:
        """Whether the work takes less time than loading the models."""
        return not self.videos and self.count <= FEW_IMAGES


def find_sources(texts: list[str]) -> Sources:
    """Identify sources.

    Args:
        texts: image, folder of images, video, number of a camera, URL of an image or stream. An existing file or folder has
            priority over a camera number.

    Raises:
        MediaError: one is none of these; raised before any work.
    """
    sources = Sources()
    for text in texts:
        if not text.strip():
            raise MediaError("a source is empty: is a variable not set? Give . for the working directory")
        path = Path(text)
        camera = camera_number(text)
        if is_url(text):
            _add_url(sources, text)
        elif path.is_dir():
            sources.images += list_images(text)
        elif camera is not None:
            sources.videos.append((camera, f"camera{camera}.mp4"))
        elif is_photo_file(path):
            if not path.exists():
                raise MediaError(f"there is no image {without_secrets(text)}: check the path")
            sources.images.append(path)
        elif not path.exists():
            raise MediaError(f"there is no file or folder {without_secrets(text)}: give an image, a folder of images, a video, "
                             "the number of a camera or a URL")
        else:
            check_video_path(text)
            sources.videos.append((text, path.name))
    return sources


def _add_url(sources: Sources, url: str) -> None:
    parts = split_url(url)
    if parts.scheme in ("http", "https") and PurePosixPath(parts.place).suffix.lower() in IMAGE_SUFFIXES:
        sources.image_urls.append(url)
    else:
        sources.videos.append((url, output_name(url)))
