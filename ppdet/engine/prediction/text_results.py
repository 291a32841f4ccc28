"""Writes one text file per image from keypoint.json or bbox.json, as PaddleDetection's `--save_txt` does."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from ppdet.core.errors import MediaError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.engine.tasks.finders import BoxFinder, PoseFinder

logger = get_logger(__name__)


def write_text_results(folder: str | Path) -> list[Path]:
    """Write ``<image's stem>.txt`` beside the newer of keypoint.json and bbox.json.

    The line of a box is ``category_id score x y w h``, that of a person ``[image_id, score, [x, y, score, ...]]``. Images
    without results get no file.

    Returns:
        The files written.

    Raises:
        MediaError: neither JSON file is there.
    """
    names = (PoseFinder.file_name, BoxFinder.file_name)
    there = [path for name in names if (path := Path(folder) / name).is_file()]
    if not there:
        raise MediaError(f"{folder} has neither {' nor '.join(names)}: predict with --save_results first")
    source = max(there, key=lambda path: path.stat().st_mtime)
    lines: dict[str, list[str]] = defaultdict(list)
    for entry in json.loads(source.read_text(encoding="utf-8")):
        lines[entry["file_name"]].append(_line(entry))
    written = []
    for name, texts in lines.items():
        path = Path(folder) / f"{Path(name).stem}.txt"
        while path in written:  # a.jpg and a.png
            path = path.with_name(f"{path.stem}_{Path(name).suffix.lstrip('.')}.txt")
        with atomic_write(path) as file:
            file.write("\n".join(texts) + "\n")
        written.append(path)
    logger.info("%d text files written to %s", len(written), folder)
    return written


def _line(entry: dict[str, Any]) -> str:
    if "keypoints" in entry:
        return str([entry["image_id"], entry["score"], entry["keypoints"]])
    return " ".join(str(value) for value in (entry["category_id"], entry["score"], *entry["bbox"]))
