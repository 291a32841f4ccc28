"""Images that are only inside of labelme's files: readers say so, and `extract-images` writes them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ppdet.commands.datasets.dataset import main
from ppdet.core.errors import DataError
from ppdet.data.convert.embedded_images import extract_images
from ppdet.data.convert.labelme import coco_from_labelme
from ppdet.data.formats.reading import read_annotations
from ppdet.skeletons import get_skeleton

JPEG = cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes()
ADVICE = r"ppdet dataset extract-images .*labels"
ONE = get_skeleton({"name": "one", "keypoints": ["nose"], "links": []})


@pytest.fixture()
def labels(tmp_path: Path) -> Path:
    for name in ("a", "deeper/b"):
        write(tmp_path / "labels" / f"{name}.json")
    return tmp_path / "labels"


def write(file: Path, **more: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    nose = {"label": "nose", "points": [[5, 6]], "group_id": None, "shape_type": "point", "flags": {}}
    content = {"version": "5.0", "flags": {}, "shapes": [nose], "imagePath": f"..\\photos\\{file.stem}.jpg",
               "imageData": base64.b64encode(JPEG).decode(), "imageHeight": 48, "imageWidth": 64, **more}  # fmt: skip
    file.write_text(json.dumps(content))


def test_readers_say_how_to_get_at_the_images(labels: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"holds no image; .*embed theirs; write such images out with: {ADVICE}"):
        read_annotations(labels, labels)
    with pytest.raises(DataError, match=f"a.jpg does not exist; the file embeds it: .*{ADVICE}"):
        coco_from_labelme([labels / "a.json"], ONE, "mouse", labels)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/other.jpg").write_bytes(JPEG)
    with pytest.raises(DataError, match=f"2 images of labelme's files are not in .*photos but embedded in these; .*{ADVICE}"):
        read_annotations(labels, tmp_path / "photos")
    (tmp_path / "photos/a.jpg").write_bytes(JPEG)
    notes = read_annotations(labels, tmp_path / "photos").notes
    assert any(note.startswith("1 image of labelme's files are not in") for note in notes)


def test_the_images_are_written_beside_the_files(labels: Path) -> None:
    assert main(["extract-images", str(labels)]) == 0
    assert (labels / "a.jpg").read_bytes() == (labels / "deeper/b.jpg").read_bytes() == JPEG
    assert len(read_annotations(labels, labels).content["annotations"]) == 2
    content = coco_from_labelme(sorted(labels.rglob("*.json")), ONE, "mouse", labels)
    assert [image["file_name"] for image in content["images"]] == ["a.jpg", "deeper/b.jpg"]
    (labels / "a.jpg").write_bytes(b"of the user")
    assert extract_images(labels) == [] and (labels / "a.jpg").read_bytes() == b"of the user"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"imageData": "%%%"}, "its imageData is not base64"),
        ({"imageData": base64.b64encode(b"text").decode()}, r"its imageData \(4 bytes\) is no image; save the file again"),
        ({"imagePath": "x/bad.sh"}, "its imagePath ends in '.sh', expected .jpg"),
        ({"imagePath": "x/a.jpg"}, "its image a.jpg is that of a.json, too"),
    ],
)
def test_files_whose_image_cannot_be_written(labels: Path, more: dict[str, Any], message: str) -> None:
    write(labels / "bad.json", **more)
    with pytest.raises(DataError, match=rf"2 images written, 1 not:\n  .*bad.json: {message}") as caught:
        extract_images(labels)
    assert "deeper" not in str(caught.value)
    assert sorted(file.name for file in labels.rglob("*.*") if file.suffix != ".json") == ["a.jpg", "b.jpg"]


def test_nothing_to_extract(tmp_path: Path) -> None:
    write(tmp_path / "a.json", imageData=None)
    with pytest.raises(DataError, match="no JSON file in it embeds an image .* copy the images there"):
        extract_images(tmp_path)
    with pytest.raises(DataError, match="is no folder"):
        extract_images(tmp_path / "absent")
