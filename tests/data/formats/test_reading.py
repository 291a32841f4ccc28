"""Files of labelling tools, written as the tools write them, become COCO's form with the same pixels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ppdet.core.errors import DataError, PpdetError
from ppdet.data.formats.image_index import ImageIndex
from ppdet.data.formats.reading import Annotations, read_annotations

W, H = 640, 480


@pytest.fixture()
def images(tmp_path: Path) -> Path:
    for name in ("a.jpg", "sub/b.png", "vid1/img0001.png", "frame_000010.png"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.zeros((H, W, 3), np.uint8))
    return tmp_path / "images"


def keypoints(found: Annotations, row: int = 0) -> dict[str, tuple[float, float, int]]:
    entry = found.content["annotations"][row]
    category = next(each for each in found.content["categories"] if each["id"] == entry["category_id"])
    table = np.array(entry["keypoints"], float).reshape(-1, 3)
    return {name: (x, y, int(v)) for name, (x, y, v) in zip(category["keypoints"], table.tolist())}


def dump(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_images_are_found_however_a_tool_names_them(images: Path) -> None:
    index = ImageIndex(images)
    for name in ("sub/b.png", "sub\\b.png", "/home/x/sub/b.png", "1a2b3c4d-b.png", "/data/local-files/?d=sub%2Fb.png", "./b.png",
                 "https://host/bucket/sub/b.png?X-Signature=a/c.png#x"):  # fmt: skip
        assert index.find(name) == "sub/b.png", name
    assert index.find("c.png") is None
    (images / "other").mkdir()
    cv2.imwrite(str(images / "other" / "b.png"), np.zeros((5, 5, 3), np.uint8))
    assert ImageIndex(images).find("b.png") is None, "two files fit"
    assert ImageIndex(images).find("x/other/b.png") == "other/b.png"


def test_labelme(tmp_path: Path, images: Path) -> None:
    def shape(label: str, *xy: Any, group: Any = None, **more: Any) -> dict[str, Any]:
        kind = "point" if len(xy) == 1 else "rectangle"
        return {"label": label, "points": [list(p) for p in xy], "group_id": group, "shape_type": kind, "flags": {}, **more}

    shapes = [
        shape("mouse", (300.5, 50), (120, 400), group=1), shape("mouse", (500, 50), (600, 50), (600, 200), (500, 200), group=2),
        shape("snout", (150.25, 220.5), group=1), shape("tail base", (160, 230), group=1, flags={"occluded": True}),
        shape("snout", (550, 100), group=2), {"label": "x", "points": [[1, 1], [2, 2], [3, 3]], "shape_type": "linestrip"},
    ]  # fmt: skip
    folder = tmp_path / "labels"
    folder.mkdir()
    dump(folder / "a.json", {"shapes": shapes, "imagePath": "..\\images\\a.jpg", "imageHeight": H, "imageWidth": W})
    found = read_annotations(folder, images)
    assert found.tool == "labelme" and found.turned
    assert found.content["annotations"][0]["bbox"] == [120, 50, 180.5, 350]
    assert keypoints(found) == {"snout": (150.25, 220.5, 2), "tail base": (160, 230, 1)}
    assert keypoints(found, 1) == {"snout": (550, 100, 2), "tail base": (0, 0, 0)}
    shapes.append(shape("snout", (1, 1), group=1))
    dump(folder / "a.json", {"shapes": shapes, "imagePath": "a.jpg"})
    with pytest.raises(DataError, match="two points 'snout'"):
        read_annotations(folder, images)


def test_cvat_images_and_video(tmp_path: Path, images: Path) -> None:
    head = "<meta><task><labels><label><name>dog</name></label>" + "".join(
        f"<label><name>{name}</name><parent>dog</parent></label>" for name in ("nose", "l_ear", "r_ear")
    ) + "</labels></task></meta>"  # fmt: skip
    points = (
        '<points label="r_ear" outside="1" occluded="0" points="-5.00,900.00"/><points label="nose" outside="0" occluded="0" '
        'points="200.50,90.00"/><points label="l_ear" outside="0" occluded="1" points="220.00,88.00"/>'
    )
    box = '<box label="dog" xtl="120.00" ytl="40.00" xbr="300.50" ybr="400.00"/>'
    image = f'<image id="0" name="a.jpg" width="{W}" height="{H}">'
    xml = f'<annotations><version>1.1</version>{head}{image}<skeleton label="dog">{points}'
    found = read_annotations(dump(tmp_path / "a.xml", f"{xml}</skeleton>{box}</image></annotations>"), images)
    expected = {"nose": (200.5, 90, 2), "l_ear": (220, 88, 1), "r_ear": (0, 0, 0)}
    assert keypoints(found) == expected, "order of the labels, hidden 1, outside 0 and zeroed"
    assert found.content["annotations"][0]["bbox"] == [120, 40, 180.5, 360]
    track = (
        f'<track id="0" label="dog"><skeleton frame="10" keyframe="1">{points}</skeleton><skeleton frame="99">{points}</skeleton>'
    )
    found = read_annotations(dump(tmp_path / "v.xml", f"<annotations>{head}{track}</track></annotations>"), images)
    assert found.content["images"][0]["file_name"] == "frame_000010.png" and keypoints(found) == expected
    assert any("without an image" in note for note in found.notes)
    with pytest.raises(DataError, match="no XML"):
        read_annotations(dump(tmp_path / "b.xml", "<annotations>"), images)
    with pytest.raises(DataError, match="DOCTYPE"):
        read_annotations(dump(tmp_path / "c.xml", '<!DOCTYPE a [<!ENTITY b "c">]><annotations/>'), images)


def test_label_studio(tmp_path: Path, images: Path) -> None:
    size = {"original_width": W, "original_height": H}

    def point(key: str, x: float, y: float, name: str, **more: Any) -> dict[str, Any]:
        return {"id": key, "type": "keypointlabels", **size, "value": {"x": x, "y": y, "keypointlabels": [name]}, **more}

    def box(key: str, x: float) -> dict[str, Any]:
        value = {"x": x, "y": 10, "width": 25, "height": 75, "rectanglelabels": ["person"]}
        return {"id": key, "type": "rectanglelabels", **size, "value": value}

    result = [
        box("b1", 10), box("b2", 60), point("k1", 31.25, 18.75, "nose", parentID="b1"), point("k2", 70, 20, "nose"),
        {"type": "relation", "from_id": "b2", "to_id": "k2"}, {"id": "ghost", "type": "keypointlabels", "value": {}},
    ]  # fmt: skip
    task = {"id": 7, "data": {"image": "/data/upload/1a2b3c4d-a.jpg"}, "annotations": [{"result": result}]}
    found = read_annotations(dump(tmp_path / "ls.json", [task]), images)
    assert keypoints(found) == {"nose": (200, 90, 2)} and keypoints(found, 1) == {"nose": (448, 96, 2)}
    assert found.content["annotations"][0]["bbox"] == [64, 48, 160, 360]


@pytest.mark.parametrize("multi", [False, True])
def test_deeplabcut(tmp_path: Path, images: Path, multi: bool) -> None:
    if multi:
        text = "\n".join(
            ["scorer,,,A,A,A,A,A,A",
             "individuals,,,m1,m1,m2,m2,single,single", "bodyparts,,,snout,snout,snout,snout,corner,corner",
             "coords,,,x,y,x,y,x,y", "labeled-data,vid1,img0001.png,21.5,265.4,,,310,12.5"]
        )  # fmt: skip
    else:
        text = "scorer,A,A,A,A\nbodyparts,snout,snout,tail,tail\ncoords,x,y,x,y\nlabeled-data\\vid1\\img0001.png,21.5,265.4,,\n"
    found = read_annotations(dump(tmp_path / "CollectedData_A.csv", text), images)
    assert found.tool == "DeepLabCut" and len(found.content["annotations"]) == 1
    assert keypoints(found)["snout"] == (21.5, 265.4, 2)
    assert keypoints(found).get("tail", (0, 0, 0)) == (0, 0, 0)
    folder = tmp_path / "labeled-data" / "vid1"
    folder.mkdir(parents=True)
    dump(folder / "CollectedData_A.csv", text)
    assert read_annotations(tmp_path / "labeled-data", images).content["annotations"] == found.content["annotations"]


def test_deeplabcut_predictions_are_no_labels(tmp_path: Path, images: Path) -> None:
    text = "scorer,N,N,N\nbodyparts,snout,snout,snout\ncoords,x,y,likelihood\n0,1,2,.9\n1,1,2,.9\n"
    with pytest.raises(DataError, match="CollectedData"):
        read_annotations(dump(tmp_path / "vDLC_net.csv", text), images)


def test_sleap_csv(tmp_path: Path, images: Path) -> None:
    head = "track,frame_idx,instance.score,nose.x,nose.y,nose.score,tail.x,tail.y,tail.score\n"
    text = head + "t,10,.9,21.5,265.4,.9,,,\nt,11,.9,1,2,.9,,,\n"
    found = read_annotations(dump(tmp_path / "s.csv", text), images)
    assert keypoints(found) == {"nose": (21.5, 265.4, 2), "tail": (0, 0, 0)}
    assert found.content["images"][0]["file_name"] == "frame_000010.png" and "without an image" in found.notes[0]
    with pytest.raises(DataError, match="frame_000010"):
        read_annotations(dump(tmp_path / "t.csv", text.replace("t,10,", "t,77,")), images)


def test_sleap_analysis_and_project(tmp_path: Path, images: Path) -> None:
    h5py = pytest.importorskip("h5py")
    tracks = np.full((1, 2, 2, 12), np.nan)
    tracks[0, :, 0, 10] = 21.5, 265.4
    path = tmp_path / "v.analysis.h5"
    with h5py.File(path, "w") as file:
        file["tracks"], file["node_names"], file["edge_names"] = tracks, [b"nose", b"tail"], [[b"nose", b"tail"]]
    found = read_annotations(path, images)
    assert keypoints(found) == {"nose": (21.5, 265.4, 2), "tail": (0, 0, 0)}
    assert found.content["categories"][0]["skeleton"] == [[1, 2]]
    project = tmp_path / "p.slp"
    frames = np.array([(0, 0, 10, 0, 2)], [("frame_id", "u8"), ("video", "u4"), ("frame_idx", "u8"), ("instance_id_start", "u8"),
                                             ("instance_id_end", "u8")])  # fmt: skip
    rows = [("instance_id", "i8"), ("instance_type", "u1"), ("point_id_start", "u8"), ("point_id_end", "u8")]
    points = [("x", "f8"), ("y", "f8"), ("visible", "?"), ("complete", "?")]
    skeleton = {"nodes": [{"name": "tail"}, {"name": "nose"}], "skeletons": [{"nodes": [{"id": 1}, {"id": 0}], "links": []}]}
    with h5py.File(project, "w") as file:
        file["frames"], file["instances"] = frames, np.array([(0, 0, 0, 2), (1, 1, 0, 2)], rows)
        file["points"] = np.array([(22.0, 265.9, True, True), (np.nan, np.nan, False, False)], points)
        file.create_group("metadata").attrs.update({"json": json.dumps(skeleton), "format_id": 1.0})
    found = read_annotations(project, images)
    assert len(found.content["annotations"]) == 1, "predicted instances are left out"
    assert keypoints(found) == {"nose": (21.5, 265.4, 2), "tail": (0, 0, 0)}, "before format 1.1 the corner is 0"


@pytest.mark.parametrize("dims", [2, 3])
def test_yolo_pose(tmp_path: Path, dims: int) -> None:
    root = tmp_path / "ds"
    for part in ("images/train", "images/val", "labels/train", "labels/val"):
        (root / part).mkdir(parents=True)
    cv2.imwrite(str(root / "images/train/a.jpg"), np.zeros((H, W, 3), np.uint8))
    rows = {2: "0 0.25 0.5 0.5 0.75 0.3125 0.1875 -1 -1", 3: "0 0.25 0.5 0.5 0.75 0.3125 0.1875 1 0 0 0"}
    dump(root / "labels/train/a.txt", rows[dims] + "\n")
    dump(
        root / "data.yaml",
        f"path: {root}\ntrain: images/train\nval: images/val\nkpt_shape: [2, {dims}]\nflip_idx: [1, 0]\nnames: {{0: cat}}\n",
    )
    found = read_annotations(root, root)
    assert list(keypoints(found).values()) == [(200, 90, 2 if dims == 2 else 1), (0, 0, 0)]
    assert found.content["annotations"][0]["bbox"] == [0, 60, 320, 360]
    assert found.content["categories"][0]["keypoints"] == ["left_kp0", "right_kp0"], "flip_idx says who mirrors whom"
    dump(root / "labels/train/a.txt", "0 .1 .1 .1 .1 .3\n")
    with pytest.raises(DataError, match="a.txt, line 1: 6 columns"):
        read_annotations(root / "data.yaml", root)


def test_cvat_points_without_skeletons(tmp_path: Path, images: Path) -> None:
    def points(label: str, places: str, more: str = "") -> str:
        return f'<points label="{label}" occluded="0" points="{places}" {more}/>'

    def read(*shapes: str) -> Annotations:
        image = f'<image id="0" name="a.jpg" width="{W}" height="{H}">{"".join(shapes)}</image>'
        return read_annotations(dump(tmp_path / "a.xml", f"<annotations>{image}</annotations>"), images)

    found = read(points("nose", "20.5,30"), points("tail", "50,60"))
    assert keypoints(found) == {"nose": (20.5, 30, 2), "tail": (50, 60, 2)} and found.content["categories"][0]["name"] == "object"
    groups = [points("nose", f"{x},30", f'group_id="{x}"') for x in (20, 90)]
    assert [keypoints(read(*groups), row)["nose"] for row in (0, 1)] == [(20, 30, 2), (90, 30, 2)]
    boxes = [f'<box label="dog" xtl="{x}" ytl="0" xbr="{x + 50}" ybr="99"/>' for x in (0, 80)]
    found = read(*boxes, points("nose", "20,30"), points("nose", "90,30"))
    assert [each["bbox"] for each in found.content["annotations"]] == [[0, 0, 50, 99], [80, 0, 50, 99]]
    assert found.content["categories"][0]["name"] == "dog"
    found = read(points("dog", "1,2;3,4;5,6"), points("dog", "7,8;9,10;11,12"))
    assert list(keypoints(found, 1).items()) == [("kp0", (7, 8, 2)), ("kp1", (9, 10, 2)), ("kp2", (11, 12, 2))]
    with pytest.raises(DataError, match="image a.jpg: an object has two points 'nose'"):
        read(points("nose", "20,30"), points("nose", "90,30"))
    tracks = "".join(
        f'<track id="{n}" label="{name}"><points frame="10" outside="0" occluded="0" points="{n},5"/>'
        f'<points frame="11" outside="1" occluded="0" points="{n},5"/></track>' for n, name in enumerate(("nose", "tail"))
    )  # fmt: skip
    found = read_annotations(dump(tmp_path / "v.xml", f"<annotations>{tracks}</annotations>"), images)
    assert keypoints(found) == {"nose": (0, 5, 2), "tail": (1, 5, 2)} and len(found.content["annotations"]) == 1


@pytest.mark.parametrize("path", ["", "path: /gone/of/another/machine\n"])
def test_yolo_pose_of_roboflow(tmp_path: Path, path: str) -> None:
    """Images and labels inside of each split, and paths that leave the folder of data.yaml without need."""
    for split in ("train", "valid"):
        for kind in ("images", "labels"):
            (tmp_path / split / kind).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / split / "images" / f"{split}.jpg"), np.zeros((H, W, 3), np.uint8))
        dump(tmp_path / split / "labels" / f"{split}.txt", "0 .5 .5 .5 .5 .25 .5 .7 .5 .5 1 0 0 0\n")
    dump(tmp_path / "data.yaml", f"{path}train: ../train/images\nval: ../valid/images\nkpt_shape: [3, 3]\nnames: [cat]\n")
    for given in (tmp_path / "data.yaml", tmp_path):
        found = read_annotations(given, tmp_path)
        assert [each["file_name"] for each in found.content["images"]] == ["train/images/train.jpg", "valid/images/valid.jpg"]
        assert list(keypoints(found).values()) == [(160, 240, 2), (320, 240, 1), (0, 0, 0)], ".7 is no 0"
    dump(tmp_path / "data.yaml", "kpt_shape: [3, 3]\nnames: [cat]\n")
    assert len(read_annotations(tmp_path, tmp_path).content["images"]) == 2
    dump(tmp_path / "data.yaml", "train: train/images\nval: train/images\nkpt_shape: [3, 3]\nnames: [cat]\n")
    assert len(read_annotations(tmp_path, tmp_path).content["annotations"]) == 1, "one folder for both is read once"


def test_images_of_another_size_than_the_labelled_one(tmp_path: Path, images: Path) -> None:
    def coco(*sizes: tuple[Any, Any]) -> Path:
        names = ["a.jpg", "sub/b.png"]
        entries = [{"id": n, "file_name": names[n], "width": w, "height": h} for n, (w, h) in enumerate(sizes)]
        objects = [{"id": n, "image_id": n, "category_id": 1, "keypoints": [9, 9, 2]} for n in range(len(sizes))]
        categories = [{"id": 1, "name": "x", "keypoints": ["tip"]}]
        return dump(tmp_path / "c.json", {"images": entries, "annotations": objects, "categories": categories})

    assert len(read_annotations(coco((W, H + 1), (None, 0)), images).content["images"]) == 2
    found = read_annotations(coco((W, H), (2 * W, 2 * H)), images)
    assert [each["file_name"] for each in found.content["images"]] == ["a.jpg"]
    assert "sub/b.png: 1280x960 stated, 640x480 found" in found.notes[0] and "--fix" in found.notes[0]
    with pytest.raises(DataError, match="1 images have another size.*a.jpg: 480x640 stated, 640x480 found"):
        read_annotations(coco((H, W)), images)
    shapes = [{"label": "tip", "points": [[1, 2]], "shape_type": "point"}]
    label = {"shapes": shapes, "imagePath": "a.jpg", "imageHeight": 2 * H, "imageWidth": 2 * W}
    with pytest.raises(DataError, match=r"another size.*a.jpg \(1280x960 stated, 640x480 found\)"):
        read_annotations(dump(tmp_path / "a.json", label), images)


def test_deeplabcut_as_a_spreadsheet_saves_it(tmp_path: Path, images: Path) -> None:
    text = "scorer;A;A;A;A\nbodyparts;snout;snout;tail;tail\ncoords;x;y;x;y\nlabeled-data/vid1/img0001.png;21,5;265;;\n"
    for delimiter in (";", "\t"):
        path = dump(tmp_path / "CollectedData_A.csv", "\ufeff" + text.replace(";", delimiter))
        assert keypoints(read_annotations(path, images)) == {"snout": (21.5, 265, 2), "tail": (0, 0, 0)}


def test_mpii(tmp_path: Path, images: Path) -> None:
    joints = [[310.0 + i, 390.0] for i in range(15)] + [[-1.0, -1.0]]
    entry = {"image": "a.jpg", "center": [301.0, 201.0], "scale": 1.0, "joints": joints, "joints_vis": [1] * 15 + [0]}
    found = read_annotations(dump(tmp_path / "m.json", [entry]), images)
    assert keypoints(found)["right_ankle"] == (309, 389, 2) and keypoints(found)["left_wrist"] == (0, 0, 0)
    assert found.content["annotations"][0]["bbox"] == [200, 115, 200, 200]


def test_coco_without_names_and_with_other_lengths(tmp_path: Path, images: Path) -> None:
    def entry(number: int, count: int) -> dict[str, Any]:
        return {"id": number, "image_id": 1, "keypoints": [1.5, 2, 2] * count}

    content = {
        "images": [{"id": 1, "file_name": "x/y/a.jpg"}, {"id": 2, "file_name": "lost.jpg"}],
        "annotations": [entry(1, 3), entry(2, 3), entry(3, 2)],
    }
    found = read_annotations(dump(tmp_path / "c.json", content), images)
    assert found.content["categories"][0]["keypoints"] == ["kp0", "kp1", "kp2"]
    assert found.content["images"] == [{"id": 1, "file_name": "a.jpg", "width": W, "height": H}]
    assert any("lost.jpg" in note for note in found.notes)


def test_coco_images_with_one_id_and_objects_without_an_image(tmp_path: Path, images: Path) -> None:
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.png"}],
        "annotations": [{"id": n, "image_id": n, "category_id": 1, "keypoints": [5, 6, 2]} for n in (1, 2, 3)],
        "categories": [{"id": 1, "name": "x", "keypoints": ["tip"]}],
    }
    found = read_annotations(dump(tmp_path / "c.json", content), images)
    assert len(found.content["annotations"]) == 2 and found.notes == ["1 objects belong to no listed image and are left out"]
    content["images"].append(dict(content["images"][0]))
    assert len(read_annotations(dump(tmp_path / "c.json", content), images).content["images"]) == 2, "one image listed twice"
    content["images"][1]["id"] = 1
    with pytest.raises(DataError, match=r"1 image ids are given to several images \(1\)"):
        read_annotations(dump(tmp_path / "c.json", content), images)


def test_mistakes_are_named(tmp_path: Path, images: Path) -> None:
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9]}
    boxes = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [box], "categories": [{"id": 1, "name": "x"}]}
    cases: list[tuple[Path, str]] = [
        (tmp_path / "none.json", "there is no annotation file"),
        (dump(tmp_path / "min.json", [{"img": "a.jpg", "kp": [{"x": 1, "y": 2, "keypointlabels": ["a"]}]}]), "JSON-MIN.*as JSON"),
        (dump(tmp_path / "p.json", [{"data": {"img": "a.jpg"}, "annotations": [], "predictions": [{"result": []}]}]),
         "none of its 1 tasks has annotations; 1 have predictions only"),
        (dump(tmp_path / "x.json", {"a": 1}), "no known layout"),
        (dump(tmp_path / "x.csv", "a,b\n"), "frame_idx"),
        (dump(tmp_path / "x.txt", "a"), "no format is known"),
        (dump(tmp_path / "x.slp", "a"), "no HDF5"),
        (dump(tmp_path / "b.json", {"images": [{"id": 1, "file_name": "q.jpg"}], "annotations": []}), "--images"),
        (dump(tmp_path / "d.json", boxes), "only boxes"),
    ]  # fmt: skip
    for path, message in cases:
        with pytest.raises(PpdetError, match=message):
            read_annotations(path, images)
    (tmp_path / "folder").mkdir()
    dump(tmp_path / "folder" / "coco.json", boxes)
    with pytest.raises(DataError, match=r"folder: none of its JSON files \(coco.json\) is one of labelme.*give that file"):
        read_annotations(tmp_path / "folder", images)
    with pytest.raises(DataError, match="no folder"):
        read_annotations(tmp_path / "x.json", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "content", "tool"),
    [
        ("a.xml", '<annotations><image name="a.jpg" width="wide" height="9"/></annotations>', "CVAT"),
        ("a.xml", '<annotations><track><skeleton frame="x"><points label="a" points="1,2"/></skeleton></track></annotations>',
         "CVAT"),
        ("a.csv", "track,frame_idx,nose.x,nose.y\nt,ten,1,2\n", "SLEAP"),
        ("a.csv", "scorer,A,A\nbodyparts,snout\ncoords,x,y\na.jpg,1,2\n", "DeepLabCut"),
        ("a.json", [{"data": {"image": "a.jpg"}, "annotations": [{"result": [{"id": [1], "value": {}}]}]}], "Label Studio"),
        ("a.json", {"imagePath": "a.jpg", "shapes": [{"label": "a", "points": [[1, 2]], "shape_type": "point", "group_id": [1]}]},
         "labelme"),
        ("data.yaml", "kpt_shape: [2, 2]\nnames: {a: cat}\n", "YOLO-pose"),
    ],
)  # fmt: skip
def test_values_of_a_wrong_kind_are_an_error_of_the_file(
    tmp_path: Path, images: Path, name: str, content: Any, tool: str
) -> None:
    with pytest.raises(DataError, match=f"{name} begins as a file of {tool} does, but holds what {tool} does not write"):
        read_annotations(dump(tmp_path / name, content), images)


def test_entries_of_mpii_that_are_none_are_left_out(tmp_path: Path, images: Path) -> None:
    entry = {"image": "a.jpg", "joints": [[3, 4]] * 16, "joints_vis": [1] * 16}
    assert len(read_annotations(dump(tmp_path / "m.json", [entry, 5, {"joints": []}]), images).content["annotations"]) == 1


@pytest.mark.parametrize("shape", ["[0, 2]", "[2000000000, 2]", "[x, 3]", "[3, 4]", "[3]"])
def test_a_shape_of_yolo_pose_is_checked(tmp_path: Path, images: Path, shape: str) -> None:
    with pytest.raises(DataError, match=r"kpt_shape is .*, expected \[keypoints"):
        read_annotations(dump(tmp_path / "data.yaml", f"kpt_shape: {shape}\nnames: [cat]\n"), images)
