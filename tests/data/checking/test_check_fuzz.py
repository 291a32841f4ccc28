"""Whatever is in a file: findings or one clear error, never a traceback; and a repaired file can be read again."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from support.json_mutations import mutated

from ppdet.core.errors import PpdetError
from ppdet.data.checking.check import check_files, report, write_fixed
from ppdet.data.convert.splitting import split_file
from ppdet.data.statistics.statistics import statistics_of


def content() -> dict[str, Any]:
    annotations = [
        {"id": n, "image_id": n, "category_id": 1, "iscrowd": 0, "bbox": [10, 10, 80, 60], "area": 2000,
         "keypoints": [20, 20, 2, 60, 30, 1, 0, 0, 0], "num_keypoints": 2}
        for n in (1, 2, 3)
    ]  # fmt: skip
    images = [{"id": n, "file_name": f"v{n}/{n}.png", "width": 100, "height": 80, "video": f"v{n}"} for n in (1, 2, 3)]
    category = {"id": 1, "name": "mouse", "keypoints": ["nose", "left_ear", "right_ear"], "skeleton": [[1, 2], [1, 3]]}
    return {"images": images, "annotations": annotations, "categories": [category]}


@settings(max_examples=80, deadline=None)
@given(mutated(content()))
def test_any_content(given_content: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "a.json"
        path.write_text(json.dumps(given_content))
        try:
            diagnosis = check_files([path], look_at_images=False)
            assert report(diagnosis)
            write_fixed(diagnosis, folder / "fixed.json")
        except PpdetError:
            return
        check_files([folder / "fixed.json"], look_at_images=False)
        for attempt in (lambda: statistics_of(diagnosis.files[0]), lambda: split_file(path, folder / "out", 0.4)):
            with suppress(PpdetError):
                attempt()
