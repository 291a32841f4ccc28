"""Each defect is planted into a clean file and found; the clean file gives no alarm; --fix repairs what has one right answer."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Callable

import cv2
import numpy as np
import pytest
from support.shared_data import shared

from ppdet.commands.datasets.dataset import main
from ppdet.data.checking.check import check_files, write_fixed

NAMES = ["nose", "left_eye", "right_eye", "left_shoulder", "right_shoulder", "left_hip", "right_hip", "left_knee", "right_knee"]
FRONT = np.array([[50, 18], [55, 12], [45, 12], [70, 40], [30, 40], [62, 95], [38, 95], [64, 140], [36, 140]], float)
COUNT = 60
Content = dict[str, Any]


def clean(count: int = COUNT) -> Content:
    """People from the front and from behind (no face labelled), turned by up to 30 degrees, one per image."""
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(1, count + 1):
        xy = FRONT + rng.normal(0, 1.5, FRONT.shape)
        visible = np.full(len(NAMES), 2)
        if number % 3 == 0:
            xy[:, 0] = 100 - xy[:, 0]
            visible[:3] = 0
        angle = rng.uniform(-0.5, 0.5)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        xy = (xy - 75) @ turn.T + [310, 112] + rng.uniform(-15, 15, 2)
        points = np.column_stack([np.round(xy, 2), visible])
        points[visible == 0] = 0
        low, high = xy[visible > 0].min(axis=0) - 12, xy[visible > 0].max(axis=0) + 12
        box = np.round([*low, *(high - low)], 2).tolist()
        annotations.append(
            {"id": number, "image_id": number, "category_id": 1, "iscrowd": 0, "bbox": box,
             "area": round(0.6 * box[2] * box[3], 1), "keypoints": points.reshape(-1).tolist(),
             "num_keypoints": int((visible > 0).sum())}
        )  # fmt: skip
        images.append({"id": number, "file_name": f"{number}.png", "width": 420, "height": 240})
    categories = [{"id": 1, "name": "person", "keypoints": list(NAMES), "skeleton": [[4, 6], [5, 7]]}]
    return {"images": images, "annotations": annotations, "categories": categories}


def write(folder: Path, content: Content, name: str = "train.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def kinds(path: Path, images: bool = False) -> set[str]:
    return {finding.kind for finding in check_files([path], look_at_images=images).findings}


def annotation(content: Content, number: int = 4) -> dict[str, Any]:
    return content["annotations"][number]


def each_point(content: Content, change: Callable[[np.ndarray, dict[str, Any]], np.ndarray]) -> None:
    for entry in content["annotations"]:
        points = np.array(entry["keypoints"], float).reshape(-1, 3)
        moved = change(points[:, :2].copy(), entry)
        points[:, :2] = np.where(points[:, 2:] > 0, moved, 0)
        entry["keypoints"] = points.reshape(-1).tolist()


def swap(entry: dict[str, Any], order: list[int]) -> None:
    entry["keypoints"] = np.array(entry["keypoints"], float).reshape(-1, 3)[order].reshape(-1).tolist()


WHOLE = [0, 2, 1, 4, 3, 6, 5, 8, 7]
SHOULDERS = [0, 1, 2, 4, 3, 5, 6, 7, 8]


def plant_duplicate(content: Content) -> None:
    content["annotations"].append({**copy.deepcopy(annotation(content)), "id": 1000})


def plant_near_duplicate(content: Content) -> None:
    plant_duplicate(content)
    content["annotations"][-1]["keypoints"][0] += 0.7


def xyxy(content: Content) -> None:
    for entry in content["annotations"]:
        x, y, w, h = entry["bbox"]
        entry["bbox"] = [x, y, x + w, y + h]


def fractions(content: Content) -> None:
    each_point(content, lambda xy, _: xy / [420, 240])
    for entry in content["annotations"]:
        x, y, w, h = entry["bbox"]
        entry["bbox"] = [x / 420, y / 240, w / 420, h / 240]


def scaled(content: Content) -> None:
    each_point(content, lambda xy, _: xy * 2)


def swapped(order: list[int]) -> Callable[[Content], None]:
    def plant(content: Content) -> None:
        for number in (0, 6):
            swap(annotation(content, number), order)

    return plant


PLANTED: dict[str, tuple[Callable[[Content], Any], bool]] = {
    "point-outside-image": (lambda c: annotation(c)["keypoints"].__setitem__(slice(9, 11), [470, 100]), True),
    "point-outside-box": (lambda c: annotation(c)["keypoints"].__setitem__(slice(9, 11), [8, 8]), False),
    "area-zero": (lambda c: annotation(c).update(area=0), True),
    "area-placeholder": (lambda c: annotation(c).update(area=1), True),
    "area-larger-than-box": (lambda c: annotation(c).update(area=1e6), True),
    "visibility-code": (lambda c: annotation(c)["keypoints"].__setitem__(11, 0.87), True),
    "labelled-at-origin": (lambda c: annotation(c)["keypoints"].__setitem__(slice(9, 11), [0, 0]), True),
    "unlabelled-with-coordinates": (lambda c: annotation(c)["keypoints"].__setitem__(11, 0), True),
    "duplicate-object": (plant_duplicate, True),
    "num-keypoints": (lambda c: annotation(c).update(num_keypoints=3), True),
    "keypoint-list-length": (lambda c: annotation(c)["keypoints"].pop(), False),
    "unreadable-keypoints": (lambda c: annotation(c)["keypoints"].__setitem__(9, None), False),
    "empty-box": (lambda c: annotation(c)["bbox"].__setitem__(2, 0), True),
    "unreadable-box": (lambda c: annotation(c).update(bbox=[1, 2, 3]), True),
    "box-outside-image": (lambda c: annotation(c)["bbox"].__setitem__(0, 500), True),
    "unknown-image": (lambda c: annotation(c).update(image_id=999), True),
    "unknown-category": (lambda c: annotation(c).update(category_id=7), False),
    "duplicate-annotation-id": (lambda c: annotation(c).update(id=1), True),
    "duplicate-image-id": (lambda c: c["images"].append(dict(c["images"][0])), False),
    "duplicate-file-name": (lambda c: c["images"].append({**c["images"][0], "id": 5000}), False),
    "duplicate-keypoint-name": (lambda c: c["categories"][0]["keypoints"].__setitem__(0, "left_eye"), False),
    "unpaired-side": (lambda c: c["categories"][0]["keypoints"].__setitem__(8, "rigth_knee"), False),
    "links-from-zero": (lambda c: c["categories"][0]["skeleton"].append([0, 1]), True),
    "no-keypoint-names": (lambda c: c["categories"][0].pop("keypoints"), False),
    "box-layout": (xyxy, True),
    "other-frame-fractions": (fractions, True),
    "other-frame-scaled-0.5": (scaled, True),
    "other-frame-y-before-x": (lambda c: each_point(c, lambda xy, _: xy[:, ::-1]), True),
    "other-frame-relative-to-box": (lambda c: each_point(c, lambda xy, e: xy - e["bbox"][:2]), True),
    "other-frame-fractions-of-box": (lambda c: each_point(c, lambda xy, e: (xy - e["bbox"][:2]) / e["bbox"][2:]), True),
    "side-swap-suspect": (swapped(WHOLE), False),
}


def test_a_clean_file_gives_no_alarm(tmp_path: Path) -> None:
    assert kinds(write(tmp_path, clean())) == set()


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_defect_is_found_and_nothing_else(kind: str, tmp_path: Path) -> None:
    content = clean()
    plant, fixable = PLANTED[kind]
    plant(content)
    path = write(tmp_path, content)
    found = kinds(path)
    if kind == "unlabelled-with-coordinates":
        found -= {"num-keypoints"}  # the number is then wrong, too
    if kind in ("unpaired-side", "duplicate-keypoint-name", "no-keypoint-names"):
        found -= {"one-sided"}
    assert found == {kind}
    if fixable:
        write_fixed(check_files([path], look_at_images=False), tmp_path / "fixed.json")
        assert kinds(tmp_path / "fixed.json") == set()
        assert json.loads(path.read_text()) == content  # the checked file stays as it was


@pytest.mark.parametrize("plant", [swapped(SHOULDERS), plant_near_duplicate])
def test_other_forms(plant: Callable[[Content], None], tmp_path: Path) -> None:
    content = clean()
    plant(content)
    (kind,) = kinds(write(tmp_path, content))
    assert kind in ("side-swap-suspect", "duplicate-object")


@pytest.mark.parametrize(
    "kind", ["box-layout", "other-frame-fractions", "other-frame-scaled-0.5", "other-frame-y-before-x", "duplicate-object"]
)
def test_the_repair_restores_the_clean_file(kind: str, tmp_path: Path) -> None:
    content = clean()
    PLANTED[kind][0](content)
    path = write(tmp_path, content)
    write_fixed(check_files([path], look_at_images=False), tmp_path / "fixed.json")
    fixed = json.loads((tmp_path / "fixed.json").read_text())
    for entry, wanted in zip(fixed["annotations"], clean()["annotations"]):
        assert entry["keypoints"] == pytest.approx(wanted["keypoints"], abs=0.01)
        assert entry["bbox"] == pytest.approx(wanted["bbox"], abs=0.01)
    assert len(fixed["annotations"]) == COUNT


def some_fractions(entry: dict[str, Any]) -> None:
    entry["keypoints"] = (np.array(entry["keypoints"]).reshape(-1, 3) / [420, 240, 1]).reshape(-1).tolist()


def some_corners(entry: dict[str, Any]) -> None:
    x, y, w, h = entry["bbox"]
    entry["bbox"] = [x, y, x + w, y + h]


@pytest.mark.parametrize(("kind", "change"), [("some-fractions", some_fractions), ("some-corners", some_corners)])
def test_single_objects_in_another_frame(kind: str, change: Callable[[dict[str, Any]], None], tmp_path: Path) -> None:
    content = clean()
    for number in (4, 9):
        change(annotation(content, number))
    findings = {each.kind: each for each in check_files([write(tmp_path, content)], look_at_images=False).findings}
    found = findings[kind]
    assert (found.count, found.total, list(found.examples)) == (2, COUNT, ["annotation 5", "annotation 10"])


def test_one_sided_data_is_a_note(tmp_path: Path) -> None:
    content = clean()
    content["annotations"] = [each for each in content["annotations"] if each["id"] % 3]
    content["categories"][0]["keypoints"][0] = "tail"
    each_point(content, lambda xy, _: np.concatenate([xy[:1] + [60, 0], xy[1:]]))
    diagnosis = check_files([write(tmp_path, content)], look_at_images=False)
    assert "one-sided" in {finding.kind for finding in diagnosis.findings} and diagnosis.count("error") == 0


def draw(path: Path, seed: int, size: tuple[int, int] = (420, 240)) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 255, (9, 11, 3), np.uint8)
    image = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(path), image)
    return image


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for number in range(1, 13):
        draw(tmp_path / "images" / f"{number}.png", number)
    return tmp_path


def part(first: int, last: int) -> Content:
    content = clean(12)
    chosen = range(first, last + 1)
    content["images"] = [each for each in content["images"] if each["id"] in chosen]
    content["annotations"] = [each for each in content["annotations"] if each["image_id"] in chosen]
    return content


def test_images(pictures: Path) -> None:
    path = write(pictures, part(1, 12))
    assert kinds(path, images=True) == set()
    (pictures / "images" / "1.png").unlink()
    data = (pictures / "images" / "2.png").read_bytes()
    (pictures / "images" / "2.png").write_bytes(data[: len(data) // 2])
    draw(pictures / "images" / "3.png", 3, (210, 120))
    diagnosis = check_files([path])
    found = {finding.kind: finding for finding in diagnosis.findings}
    assert set(found) == {"image-missing", "image-unreadable", "image-size"}
    assert found["image-missing"].examples == ["1.png"] and "3.png: 420x240 stated, 210x120 found" in found["image-size"].examples
    write_fixed(diagnosis, pictures / "fixed.json")
    fixed = json.loads((pictures / "fixed.json").read_text())
    assert [each["id"] for each in fixed["images"]] == list(range(3, 13))
    assert fixed["annotations"][0]["keypoints"][9] == pytest.approx(part(3, 3)["annotations"][0]["keypoints"][9] / 2)
    assert kinds(pictures / "fixed.json", images=True) == set()


def test_images_that_a_tool_names_otherwise(pictures: Path) -> None:
    (pictures / "images" / "day1").mkdir()
    (pictures / "images" / "2.png").rename(pictures / "images" / "day1" / "2.png")
    content = part(1, 12)
    for image, name in zip(content["images"], ["C:\\Users\\me\\1.png", "/home/other/2.png", "gone/12.png", "nowhere.png"]):
        image["file_name"] = name  # 12.png belongs to another image
    path = write(pictures, content)
    diagnosis = check_files([path], [pictures / "images"])
    found = {finding.kind: finding for finding in diagnosis.findings}
    assert {kind: each.count for kind, each in found.items()} == {"image-elsewhere": 2, "image-missing": 2}
    assert found["image-elsewhere"].examples == ["C:\\Users\\me\\1.png is 1.png", "/home/other/2.png is day1/2.png"]
    write_fixed(diagnosis, pictures / "fixed.json")
    fixed = json.loads((pictures / "fixed.json").read_text())
    assert [each["file_name"] for each in fixed["images"]] == ["1.png", "day1/2.png", *(f"{n}.png" for n in range(5, 13))]
    assert kinds(pictures / "fixed.json", images=True) == set()


def test_leakage_by_content_and_by_group(pictures: Path) -> None:
    train, val = part(1, 8), part(9, 12)
    copied = cv2.resize(cv2.imread(str(pictures / "images" / "3.png")), (420, 240))
    cv2.imwrite(str(pictures / "images" / "11.jpg"), copied, [cv2.IMWRITE_JPEG_QUALITY, 70])
    val["images"][2]["file_name"] = "11.jpg"
    for content, video in ((train, "a"), (val, "b")):
        for image in content["images"]:
            image["video"] = video
    val["images"][0]["video"] = "a"
    diagnosis = check_files([write(pictures, train), write(pictures, val, "val.json")])
    found = {finding.kind: finding for finding in diagnosis.findings}
    assert set(found) == {"leakage", "group-leakage"}
    assert found["leakage"].examples == ["3.png = 11.jpg"] and found["group-leakage"].examples == ["video=a"]


def test_the_command(pictures: Path, capsys: pytest.CaptureFixture) -> None:
    path = write(pictures, part(1, 12))
    assert main(["check", str(path), "--report", str(pictures / "report.json")]) == 0
    assert "nothing found" in capsys.readouterr().out
    content = part(1, 12)
    annotation(content).update(area=0)
    path = write(pictures, content)
    words = ["check", str(path), "--report", str(pictures / "report.json"), "--fix", str(pictures / "fixed.json")]
    assert main(words) == 1
    out = capsys.readouterr().out
    assert "error: area-zero: 1 of 12 objects have area 0" in out and "why:" in out and "do:" in out
    (finding,) = json.loads((pictures / "report.json").read_text())["findings"]
    assert finding["kind"] == "area-zero" and finding["examples"] == ["annotation 5"]
    assert main(["check", str(path), "--fix", str(path)]) == 2
    assert main(["check", str(pictures / "nowhere.json")]) == 2


@pytest.mark.parametrize(
    "name", ["coco_person/annotations/person_keypoints_train.json", "coco_person/annotations/person_keypoints_val.json",
             "lspet/annotations/lspet_train.json", "lspet/annotations/lspet_val.json", "lsp/annotations/lsp_2000_coco17.json"]
)  # fmt: skip
def test_no_false_alarm_on_real_files(name: str) -> None:
    assert kinds(shared("data", *name.split("/"))) == set()


@pytest.mark.slow
@pytest.mark.parametrize("pattern", ["coco_person/annotations/person_keypoints_{}.json", "lspet/annotations/lspet_{}.json"])
def test_no_false_alarm_on_real_images(pattern: str) -> None:
    files = [shared("data", *pattern.format(part).split("/")) for part in ("train", "val")]
    assert not check_files(files).findings
