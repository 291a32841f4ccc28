"""Every format is read back by its own reader, or by the library that people read it with."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.pose_results import HEIGHT, WIDTH, random_result, random_video

from ppdet.core.command import Terminated
from ppdet.core.errors import ConfigError, DataError, MediaError
from ppdet.inference import save_results
from ppdet.inference.files.pose_files import read_pose_file
from ppdet.inference.formats import FORMATS, FormatOptions, json_schema, open_writer, read_json_lines
from ppdet.inference.formats.openpose import BODY_25
from ppdet.inference.formats.table import format_of
from ppdet.skeletons import get_skeleton

VIDEO = random_video()


def test_json_lines_are_results_and_fit_their_schema(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    path = save_results(VIDEO, tmp_path / "video.jsonl")
    lines = list(read_json_lines(path))
    assert len(path.read_text().splitlines()) == len(lines) == len(VIDEO)
    for line, result in zip(lines, VIDEO):
        jsonschema.validate(line, json_schema())
        assert {key: line[key] for key in result.to_dict()} == result.to_dict()
        assert (line["schema"], line["skeleton"]) == ("ppdet.poses/1", "coco17")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**lines[0], "people": [{"box": [1, 2, 3]}]}, json_schema())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"schema": "ppdet.poses/2", "people": []}', r"line 2 has the schema 'ppdet.poses/2', and this version reads"),
        ('{"schema": "ppdet.poses/1", "peo', "line 2 is not valid JSON"),
        ("[1]", "line 2 has the schema 'None'"),
        ('{"schema": "ppdet.poses/1"}', "line 2 has no list `people`"),
    ],
)
def test_other_lines_are_refused_with_their_number(tmp_path: Path, text: str, problem: str) -> None:
    path = save_results(VIDEO[:1], tmp_path / "a.jsonl")
    path.write_text(path.read_text() + text + "\n")
    with pytest.raises(DataError, match=problem):
        list(read_json_lines(path))
    with pytest.raises(DataError, match="cannot read poses"):
        list(read_json_lines(tmp_path / "missing.jsonl"))


def test_json_lines_of_images_are_drawn_like_the_json(tmp_path: Path) -> None:
    images = [random_result(2, 1, path="a.jpg"), random_result(1, 2, path="b.jpg")]
    lines, plain = (read_pose_file(save_results(images, tmp_path / name)) for name in ("a.jsonl", "a.json"))
    assert [image.name for image in lines.images] == ["a.jpg", "b.jpg"] == [image.name for image in plain.images]
    np.testing.assert_array_equal(lines.images[0].keypoints, plain.images[0].keypoints)


def test_csv_by_the_standard_library(tmp_path: Path) -> None:
    with save_results(VIDEO, tmp_path / "video.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    people = [(result, index) for result in VIDEO for index in range(len(result))]
    assert len(rows) == len(people)
    for row, (result, index) in zip(rows, people):
        assert (int(row["frame"]), int(row["id"]), int(row["person"])) == (result.frame_id, result[index].id, index)
        assert float(row["timestamp_ms"]) == pytest.approx(result.timestamp_ms)
        assert [float(row[name]) for name in ("x1", "y1", "x2", "y2")] == pytest.approx(result.boxes[index], abs=1e-4)
        point = [float(row[f"left_wrist_{part}"]) for part in ("x", "y", "score")]
        np.testing.assert_allclose(point, result["left_wrist"][index], atol=1e-4)
        assert row["image"] == row["zones"] == row["video"] == ""


def test_parquet_by_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("ppdet.inference.formats.parquet.ROWS_PER_GROUP", 3)
    file = parquet.ParquetFile(save_results(VIDEO, tmp_path / "video.parquet"))
    rows = file.read().to_pylist()
    people = [(result, index) for result in VIDEO for index in range(len(result))]
    assert file.num_row_groups > 1 and len(rows) == len(people)
    about = json.loads(file.metadata.metadata[b"ppdet"])
    assert about == {"schema": "ppdet.poses/1", "skeleton": "coco17", "frames": len(VIDEO)}
    for row, (result, index) in zip(rows, people):
        assert (row["frame"], row["id"], row["timestamp_ms"]) == (result.frame_id, result[index].id, result.timestamp_ms)
        points = np.array([[row[f"{name}_{part}"] for part in ("x", "y", "score")] for name in result.skeleton.names], np.float32)
        np.testing.assert_array_equal(points[:, :2], result.keypoints[index])
        np.testing.assert_array_equal(points[:, 2], result.scores[index])
    empty = parquet.read_table(save_results([random_result(0)], tmp_path / "empty.parquet"))
    assert empty.num_rows == 0 and "nose_x" in empty.column_names


def test_without_pyarrow_it_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ppdet.inference.formats.table.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="needs pyarrow, which is not installed: pip install pyarrow"):
        save_results(VIDEO, tmp_path / "video.parquet")
    assert not list(tmp_path.iterdir())


def test_coco_results_by_pycocotools(tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    images = [random_result(2, 1, path="in/000000000139.jpg"), random_result(1, 2, path="in/000000000285.jpg")]
    with open_writer(tmp_path / "r.coco.json") as writer:
        writer.expect({"in/000000000139.jpg": 139, "in/000000000285.jpg": 285})
        for result in (*images, *VIDEO):
            writer.add(result)
    truth = coco.COCO()
    truth.dataset = {"images": [{"id": number} for number in (139, 285, *range(286, 300))], "categories": [{"id": 1}],
                     "annotations": []}  # fmt: skip
    truth.createIndex()
    found = truth.loadRes(str(tmp_path / "r.coco.json"))
    assert sorted(found.getImgIds(catIds=[1])) == [139, 285, 286, 287, 289, 290, 291]  # the third frame is empty
    for number, result in ((139, images[0]), (291, VIDEO[-1])):
        entries = found.loadAnns(found.getAnnIds(imgIds=[number]))
        points = np.array([entry["keypoints"] for entry in entries]).reshape(len(result), -1, 3)
        np.testing.assert_allclose(points[..., :2], result.keypoints, atol=1e-3)
        np.testing.assert_allclose([entry["score"] for entry in entries], result.person_scores, atol=1e-4)
    assert len(read_pose_file(tmp_path / "r.coco.json").images) == 7  # by `ppdet draw`: two images, five frames with people


def test_ranking_scores_decide_the_score_of_coco_entries(tmp_path: Path) -> None:
    path = save_results(VIDEO, tmp_path / "r.json", "coco", ranking=lambda result: result.box_scores)
    assert [entry["score"] for entry in json.loads(path.read_text())][:1] == pytest.approx(VIDEO[0].box_scores, abs=1e-4)


def test_openpose_by_pose_format(tmp_path: Path) -> None:
    openpose = pytest.importorskip("pose_format.utils.openpose")
    folder = save_results(VIDEO, tmp_path / "walk.openpose")
    assert sorted(path.name for path in folder.iterdir())[0] == "walk_000000000000_keypoints.json"
    pose = openpose.load_openpose_directory(str(folder), fps=25, width=WIDTH, height=HEIGHT)
    names = [point for component in pose.header.components for point in component.points][:25]
    assert pose.body.data.shape[:2] == (len(VIDEO), 2)
    for frame, result in enumerate(VIDEO):
        for person in range(len(result)):
            xy, score = pose.body.data.data[frame, person, :25], pose.body.confidence[frame, person, :25]
            where = names.index("LWrist")
            np.testing.assert_allclose([*xy[where], score[where]], result["left_wrist"][person], atol=1e-3)
            shoulders = np.stack([result["left_shoulder"][person], result["right_shoulder"][person]])
            np.testing.assert_allclose(xy[names.index("Neck")], shoulders[:, :2].mean(0), atol=1e-3)
            assert score[names.index("Neck")] == pytest.approx(shoulders[:, 2].min(), abs=1e-4)
            assert not xy[names.index("LHeel")].any() and score[names.index("LHeel")] == 0
    assert json.loads((folder / "walk_000000000000_keypoints.json").read_text())["people"][0]["person_id"] == [4]


@pytest.mark.parametrize("name", ["coco17", "mpii16", "crowdpose14", "aic14", "lsp14"])
def test_every_body_skeleton_fits_openpose(tmp_path: Path, name: str) -> None:
    skeleton = get_skeleton(name)
    folder = save_results([random_result(1, skeleton=skeleton)], tmp_path / "a.openpose")
    (person,) = json.loads(next(folder.iterdir()).read_text())["people"]
    rows = np.array(person["pose_keypoints_2d"]).reshape(25, 3)
    for wanted, row in zip(BODY_25, rows):
        if wanted[0] in skeleton.names:
            place = list(skeleton.names).index(wanted[0])
            np.testing.assert_allclose(row[:2], random_result(1, skeleton=skeleton).keypoints[0, place], atol=1e-3)
    assert (rows[:15, 2] > 0).sum() >= 14  # all but the nose


def test_openpose_refuses_hands_and_folders_of_others(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is for bodies, and skeleton hand21 shares only 0"):
        save_results([random_result(1, skeleton=get_skeleton("hand21"))], tmp_path / "a.openpose")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "mine.jpg").touch()
    with pytest.raises(MediaError, match="is a folder with other files"):
        save_results(VIDEO, tmp_path / "photos", "openpose")
    assert [path.name for path in tmp_path.iterdir()] == ["photos"] and (tmp_path / "photos" / "mine.jpg").exists()
    first = save_results(VIDEO, tmp_path / "a.openpose")
    assert len(list(save_results(VIDEO[:2], tmp_path / "a.openpose").iterdir())) == 2 and first.is_dir()


def _trajectories(frames: list, threshold: float, scale: float = 1.0) -> dict[str, np.ndarray]:
    """Marker -> (frames, 3) as a reader should find them."""
    found = {}
    for identity in (4, 9):
        for place, name in enumerate(frames[0].skeleton.names):
            rows = np.full((len(frames), 3), np.nan)
            for number, result in enumerate(frames):
                for row in np.flatnonzero(result.track_ids == identity):
                    if result.scores[row, place] >= threshold:
                        x, y = result.keypoints[row, place].astype(float)
                        rows[number] = x * scale, (HEIGHT - 1 - y) * scale, 0
            found[f"p{identity}_{name}"] = rows
    return found


def test_trc_by_trc_data_reader(tmp_path: Path) -> None:
    reader = pytest.importorskip("trc")
    data = reader.TRCData()
    data.load(save_results(VIDEO, tmp_path / "walk.trc", threshold=0.3, mm_per_pixel=2.5))
    assert (data["NumFrames"], data["NumMarkers"], data["Units"], data["DataRate"]) == (6, 34, "mm", 25.0)
    assert data["Frame#"] == [1, 2, 3, 4, 5, 6] and data["Time"] == pytest.approx(np.arange(6) / 25)
    for name, rows in _trajectories(VIDEO, 0.3, 2.5).items():
        np.testing.assert_allclose(data[name], rows, atol=1e-3)


def test_one_person_has_plain_marker_names_and_pixels(tmp_path: Path) -> None:
    reader = pytest.importorskip("trc")
    data = reader.TRCData()
    data.load(save_results(VIDEO[:2], tmp_path / "walk.trc", threshold=0.0))
    assert data["Markers"] == list(VIDEO[0].skeleton.names) and data["Units"] == "px"
    x, y = VIDEO[0].keypoints[0, 0]
    assert data["nose"][0] == pytest.approx([x, HEIGHT - 1 - y, 0], abs=1e-3)


def test_csv_of_trajectories_becomes_c3d(tmp_path: Path) -> None:
    """Into a C3D file by the package c3d, and read from it again."""
    c3d = pytest.importorskip("c3d")
    lines = [line.split(",") for line in save_results(VIDEO, tmp_path / "w.c3d.csv", mm_per_pixel=1).read_text().splitlines()]
    assert lines[0] == ["Trajectories"] and lines[3][:5] == ["Frame", "Sub Frame", "X", "Y", "Z"] and lines[4][2] == "mm"
    assert len({len(line) for line in lines[2:]}) == 1
    names = [name for name in lines[2][2:] if name]
    values = np.array([[float(cell or "nan") for cell in line[2:]] for line in lines[5:]]).reshape(len(VIDEO), len(names), 3)
    writer = c3d.Writer(point_rate=float(lines[1][0]))
    writer.set_point_labels(names)
    gaps = np.isnan(values).any(2)
    for frame, gap in zip(np.nan_to_num(values), gaps):
        points = np.zeros((len(names), 5))
        points[:, :3], points[:, 3] = frame, np.where(gap, -1, 0)
        writer.add_frames([(points, np.zeros((0, 0)))])
    with (tmp_path / "w.c3d").open("wb") as stream:
        writer.write(stream)
    with (tmp_path / "w.c3d").open("rb") as stream:
        reader = c3d.Reader(stream)
        labels = [label.strip() for label in reader.point_labels]
        read = np.stack([points for _, points, _ in reader.read_frames()])
    assert reader.header.frame_rate == 25 and labels == names
    expected = _trajectories(VIDEO, 0.5)
    for place, name in enumerate(labels):
        there = ~np.isnan(expected[name][:, 0])
        np.testing.assert_array_equal(read[:, place, 3] >= 0, there)
        np.testing.assert_allclose(read[there, place, :3], expected[name][there], atol=2e-2)


def test_markers_refuse_two_time_axes(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="one time axis, and frame 1 comes after frame 6"):
        save_results([*VIDEO, *VIDEO], tmp_path / "walk.trc")
    assert not list(tmp_path.iterdir())


def test_a_frame_without_time_stamp_stands_between_its_neighbours(tmp_path: Path) -> None:
    reader = pytest.importorskip("trc")
    lost = [replace(frame, timestamp_ms=None) if frame.frame_id == 3 else frame for frame in VIDEO]
    data = reader.TRCData()
    data.load(save_results(lost, tmp_path / "walk.trc"))
    assert data["Time"] == pytest.approx(np.arange(6) / 25)


def test_supervision_draws_them() -> None:
    supervision = pytest.importorskip("supervision")
    result = VIDEO[-1]
    found = result.to_supervision()
    assert isinstance(found, supervision.KeyPoints) and len(found) == 2
    np.testing.assert_array_equal(found.xy, result.keypoints)
    name = "keypoint_confidence" if hasattr(found, "keypoint_confidence") else "confidence"  # the new name since 0.28
    np.testing.assert_array_equal(getattr(found, name), result.scores)
    assert found.data["track_id"].tolist() == [4, 9] and found[found.data["track_id"] == 9].xy.shape == (1, 17, 2)
    drawn = supervision.VertexAnnotator(radius=3).annotate(np.zeros((HEIGHT, WIDTH, 3), np.uint8), found)
    x, y = result.keypoints[0, 0].astype(int)
    assert drawn[y, x].any()
    assert len(random_result(0).to_supervision()) == 0


def test_without_supervision_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ppdet.inference.formats.supervision.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install supervision"):
        VIDEO[0].to_supervision()


def test_the_suffix_or_the_name_chooses() -> None:
    for suffix, name in ((".json", "json"), (".coco.json", "coco"), (".csv", "csv"), (".c3d.csv", "c3d_csv"),
                         (".NDJSON", "jsonl"), (".pq", "parquet"), (".trc", "trc"), (".openpose", "openpose")):  # fmt: skip
        assert format_of(f"out/a{suffix}").name == name
    assert format_of("a.txt", "c3d-csv").name == "c3d_csv"
    with pytest.raises(ConfigError, match="cannot write poses as a.xlsx: the suffix must be one of .json, .jsonl"):
        format_of("a.xlsx")
    with pytest.raises(ConfigError, match="'xml' is no format of poses: give one of json, jsonl"):
        format_of("a.json", "xml")
    with pytest.raises(ConfigError, match="no option 'fsp': it may be one of threshold"):
        save_results(VIDEO, "a.trc", fsp=3)
    with pytest.raises(ConfigError, match="mm_per_pixel is -1"):
        FormatOptions(mm_per_pixel=-1)


@pytest.mark.parametrize("name", FORMATS)
def test_whole_or_not_there(tmp_path: Path, name: str) -> None:
    """An error leaves what was there; an interruption leaves what was done."""
    if FORMATS[name].package:
        pytest.importorskip(FORMATS[name].package)
    path = tmp_path / f"a{FORMATS[name].suffix}"

    def content() -> dict[str, bytes]:
        return {str(file): file.read_bytes() for file in sorted(tmp_path.rglob("*")) if file.is_file()}

    save_results(VIDEO[:2], path)
    before = content()
    with pytest.raises(RuntimeError), open_writer(path) as writer:
        writer.add(VIDEO[0])
        raise RuntimeError("power cut")
    assert content() == before and len(list(tmp_path.iterdir())) == 1
    with pytest.raises(Terminated), open_writer(path) as writer:
        for result in VIDEO:
            writer.add(result)
        raise Terminated
    interrupted = content()
    assert interrupted != before and len(list(tmp_path.iterdir())) == 1
    save_results(VIDEO, path)
    assert content() == interrupted
    for file in tmp_path.iterdir():
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    with open_writer(path):
        pass
    assert path.exists()  # nothing came: an empty file or folder, not none


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /dev/full")
@pytest.mark.parametrize("name", [name for name, each in FORMATS.items() if not each.is_folder])
def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if FORMATS[name].package:
        pytest.importorskip(FORMATS[name].package)
    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *words, **more: opened(Path("/dev/full"), *words, **more))
    with pytest.raises(MediaError, match="cannot write .*No space left on device; free some space"):
        save_results(random_video(200), tmp_path / f"a{FORMATS[name].suffix}")
    assert not list(tmp_path.iterdir())


def test_a_thousand_frames_take_little_memory(tmp_path: Path) -> None:
    import tracemalloc

    frame = random_result(2, track_ids=np.array([1, 2]))
    for name in ("jsonl", "csv", "coco", "trc"):
        tracemalloc.start()
        save_results((replace(frame, frame_id=number) for number in range(1, 1001)), tmp_path / f"a{FORMATS[name].suffix}")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1_000_000, (name, peak)
