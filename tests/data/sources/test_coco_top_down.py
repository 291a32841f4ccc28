"""Reading COCO persons: real files, and every mistake a file can hold."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
from support.shared_data import shared

from ppdet.core.errors import ConfigError, DataError
from ppdet.data.sources.coco_top_down import KeypointTopDownCocoDataset
from ppdet.skeletons import get_skeleton


def dataset(folder, **kwargs):
    kwargs.setdefault("trainsize", [96, 128])
    kwargs.setdefault("anno_path", "persons.json")
    return KeypointTopDownCocoDataset(str(folder), "images", **kwargs)


@pytest.mark.parametrize("split, persons, images", [("train", 4760, 1765), ("val", 238, 100)])
def test_real_files(split, persons, images):
    data = dataset(shared("data", "coco_person"), anno_path=f"annotations/person_keypoints_{split}.json")
    assert len(data) == persons
    assert len(np.unique(data.persons.image_row)) == images
    assert data.report.num_bad == 0
    sample = data[0]
    assert sample.image.shape[2] == 3 and not sample.image.flags.writeable
    assert sample.xy_image.shape == (17, 2) and set(np.unique(sample.visible)) <= {0.0, 1.0}
    np.testing.assert_allclose(sample.size_wh[0] / sample.size_wh[1], 96 / 128)


def test_box_becomes_padded_rectangle_at_the_inputs_aspect(coco, write_coco):
    sample = dataset(write_coco(coco())).describe(0)
    # box x 4..21, y 5..40 in pixel centres: centre of [4, 5, 18, 36] less half a pixel
    np.testing.assert_allclose(sample.center_xy, [4 + 17 / 2, 5 + 35 / 2])
    np.testing.assert_allclose(sample.size_wh, [35 * 0.75 * 1.25, 35 * 1.25])
    assert sample.area == pytest.approx(18 * 36 * 0.5)


def test_the_padding_of_the_crop_can_be_stated(coco, write_coco):
    folder = write_coco(coco())
    usual, tight = dataset(folder).describe(0).size_wh, dataset(folder, padding=1.0).describe(0).size_wh
    np.testing.assert_allclose(usual, 1.25 * tight)
    with pytest.raises(ConfigError, match="padding"):
        dataset(folder, padding=0.5)


def test_boxes_are_cut_to_the_image(coco, write_coco):
    content = coco(1, 1)
    content["annotations"][0]["bbox"] = [-10, -5, 200, 100]
    data = dataset(write_coco(content)).parse()
    np.testing.assert_allclose(data.persons.boxes_xyxy, [[0, 0, 63, 47]])


def spoil(content, key, value):
    entry = dict(content["annotations"][0], id=99)
    if value is KeyError:
        del entry[key]
    else:
        entry[key] = value
    content["annotations"].insert(0, entry)


@pytest.mark.parametrize(
    "key, value, reason",
    [
        ("keypoints", KeyError, "without `keypoints`"),
        ("image_id", KeyError, "without `image_id`"),
        ("image_id", 777, "image_id not among"),
        ("area", 0, "`area` of 0 or less"),
        ("area", -3, "`area` of 0 or less"),
        ("iscrowd", 12, "neither 0 nor 1"),
        ("category_id", 5, "not among `categories`"),
        ("keypoints", [0.3, 0.25, 2] * 17, "fractions of the image"),
        ("keypoints", [20, 20, None] * 17, "finite"),
        ("bbox", [1, 2, 0, 5], "without extent"),
        ("bbox", [500, 2, 10, 5], "outside its image"),
        ("bbox", [1, 2, 3], "not [x, y, w, h]"),
        ("bbox", [1, 2, None, 3], "four finite numbers"),
        ("bbox", "1 2 3 4", "str as `bbox`"),
        ("keypoints", [1, 1, 2] * 16, "16 keypoints instead of 17"),
        ("keypoints", [float("nan"), 1, 2] * 17, "finite"),
        ("keypoints", ["a"] * 51, "finite"),
    ],
)
def test_a_bad_annotation_is_named_and_left_out(coco, write_coco, caplog, key, value, reason):
    content = coco()
    spoil(content, key, value)
    with caplog.at_level(logging.WARNING):
        data = dataset(write_coco(content)).parse()
    assert len(data) == 8
    assert data.report.num_bad == 1
    lines = [r.getMessage() for r in caplog.records]
    assert len(lines) == 1 and "annotation 99" in lines[0] and reason in lines[0] and "persons.json" in lines[0]


def test_not_a_mapping(coco, write_coco):
    content = coco()
    content["annotations"].append(None)
    content["images"].append("x.jpg")
    assert dataset(write_coco(content)).parse().report.num_bad == 2


@pytest.mark.parametrize("key, value", [("iscrowd", 1), ("keypoints", [0] * 51), ("category_id", 5)])
def test_what_is_right_but_of_no_use_is_no_mistake(coco, write_coco, key, value):
    content = coco()
    content["categories"].append({"id": 5, "name": "rider"})
    spoil(content, key, value)
    data = dataset(write_coco(content)).parse()
    assert len(data) == 8 and data.report.num_bad == 0 and sum(data.report.skipped.values()) == 1


def test_missing_area_is_a_share_of_the_boxs(coco, write_coco):
    content = coco(1, 1)
    del content["annotations"][0]["area"]
    assert dataset(write_coco(content)).describe(0).area == pytest.approx(0.53 * 18 * 36)


def test_missing_box_is_the_extent_of_the_keypoints(coco, write_coco):
    content = coco(1, 2)
    first, second = content["annotations"]
    del first["bbox"]
    second["bbox"] = None
    second["keypoints"] = [5, 6, 2] + [0] * 48  # one point has no extent
    data = dataset(write_coco(content)).parse()
    xy = np.array(first["keypoints"]).reshape(-1, 3)[:, :2]
    low, high = xy.min(0), xy.max(0)
    np.testing.assert_allclose(data.persons.boxes_xyxy, [[*low, *np.maximum(high - 1, low)]])
    assert "no `bbox`" in data.report.notes[0] and "annotation 2" in data.report.bad_line()


def test_areas_that_make_scores_meaningless_are_told(coco, write_coco):
    content = coco()
    assert dataset(write_coco(content)).parse().report.notes == []
    for entry in content["annotations"]:
        entry["area"] = 1
    report = dataset(write_coco(content)).parse().report
    assert len(report.notes) == 1 and "AP will come out near 0" in report.notes[0] and report.num_bad == 0


def test_another_skeleton():
    data = dataset(shared("data", "lspet"), anno_path="annotations/lspet_val.json", num_joints=14)
    assert len(data) == 300 and data[0].xy_image.shape == (14, 2)


def test_another_number_of_keypoints_tells_both_numbers(coco, write_coco):
    with pytest.raises(DataError, match="21 keypoints.*num_joints is 17"):
        len(dataset(write_coco(coco(num_joints=21))))


def test_missing_images_are_named_once(coco, write_coco):
    folder = write_coco(coco())
    (folder / "images" / "002.png").unlink()
    data = dataset(folder).parse()
    assert len(data) == 6 and data.report.num_bad == 1
    assert "002.png" in data.report.bad_line()


def test_no_image_at_all(coco, write_coco):
    folder = write_coco(coco())
    with pytest.raises(DataError, match="none of its 4 image files exists.*image_dir"):
        len(KeypointTopDownCocoDataset(str(folder), "pictures", "persons.json", trainsize=[96, 128]))


@pytest.mark.parametrize("folder", ["C:\\data\\", "/home/me/data/"])
def test_names_of_another_computer(coco, write_coco, folder):
    content = coco(1, 1)
    name = content["images"][0]["file_name"]
    place = write_coco(content)
    content["images"][0]["file_name"] = folder + name
    (place / "persons.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=f"{name} lies in .*: write `file_name` without the folders of another computer"):
        dataset(place).parse()


def test_no_usable_person(coco, write_coco):
    content = coco(1, 1)
    content["annotations"][0]["area"] = 0
    with pytest.raises(DataError, match="no usable person.*`area` of 0 or less.*docs/data.md"):
        len(dataset(write_coco(content)))


@pytest.mark.parametrize("text", ["", "{", '{"images": []}', "[]", '"x"', '{"images": {}, "annotations": []}'])
def test_broken_files_are_named(tmp_path, text):
    (tmp_path / "persons.json").write_text(text)
    with pytest.raises(DataError, match="persons.json"):
        len(dataset(tmp_path))


def test_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="persons.json.*anno_path"):
        len(dataset(tmp_path))


def test_other_categories(coco, write_coco):
    content = coco()
    content["categories"] = [
        {"id": 3, "name": "cat", "keypoints": ["a"] * 17},
        {"id": 4, "name": "dog", "keypoints": ["a"] * 17},
        {"id": 5, "name": "tree"},
    ]
    for i, entry in enumerate(content["annotations"]):
        entry["category_id"] = 3 + i % 3
    folder = write_coco(content)
    assert len(dataset(folder)) == 6  # whatever declares keypoints
    assert len(dataset(folder, category="cat")) == 3
    assert len(dataset(folder, category=[3, "dog"])) == 6
    with pytest.raises(DataError, match="no category 'horse'.*3 \\(cat\\)"):
        len(dataset(folder, category="horse"))


def test_string_image_ids(coco, write_coco):
    content = coco()
    for entry in [*content["images"]]:
        entry["id"] = f"im{entry['id']}"
    for entry in content["annotations"]:
        entry["image_id"] = f"im{entry['image_id']}"
    data = dataset(write_coco(content))
    assert len(data) == 8 and data.describe(0).image_id == "im1"


def test_detector_boxes(coco, write_coco):
    folder = write_coco(coco())
    boxes = [
        {"image_id": 2, "category_id": 1, "bbox": [3, 4, 10, 20], "score": 0.9},
        {"image_id": 1, "category_id": 1, "bbox": [3, 4, 10, 20], "score": 0.8},
        {"image_id": 2, "category_id": 1, "bbox": [5, 4, 10, 20], "score": 0.7},
        {"image_id": 1, "category_id": 1, "bbox": [3, 4, 10, 20], "score": 0.1},
        {"image_id": 1, "category_id": 7, "bbox": [3, 4, 10, 20], "score": 0.9},
        {"image_id": 55, "category_id": 1, "bbox": [3, 4, 10, 20], "score": 0.9},
        {"image_id": 1, "category_id": 1, "bbox": [3, 4, -1, 20], "score": 0.9},
        {"image_id": 1, "category_id": 1, "score": 0.9},
    ]
    (folder / "bbox.json").write_text(json.dumps(boxes))
    data = dataset(folder, use_gt_bbox=False, bbox_file="bbox.json", image_thre=0.5).parse()
    samples = [data.describe(i) for i in range(len(data))]
    assert [(s.image_id, s.box_score) for s in samples] == [(1, 0.8), (2, 0.9), (2, 0.7)]
    np.testing.assert_allclose(samples[0].center_xy, [8, 14])
    assert samples[0].visible.sum() == 0 and samples[0].area == 200
    assert data.report.num_bad == 3
    outside = dataset(folder, use_gt_bbox=False, bbox_file=str(folder / "bbox.json"))
    assert len(outside) == 4


def test_scores_matter_only_beside_a_threshold(coco, write_coco):
    content = coco()
    for factor, threshold, told in ((100, 0.0, 0), (100, 0.5, 1), (-1, 0.0, 1), (1, 0.5, 0)):
        boxes = [{**box, "score": factor * box["score"]} for box in boxes_of(content)]
        boxes.append({**boxes[0], "score": 0.9})
        data = with_boxes(write_coco(content), boxes, image_thre=threshold).parse()
        lines = [line for line in data.report.warnings() if "the scores of its boxes range from" in line]
        assert len(lines) == told and len(data) == (1 if factor < 0 else len(boxes))
        assert all(f"and a threshold of {threshold:g} is applied" in line and "bbox.json" in line for line in lines)


def test_detector_boxes_of_the_wrong_kind(coco, write_coco):
    folder = write_coco(coco())
    with pytest.raises(DataError, match="bbox_file"):
        len(dataset(folder, use_gt_bbox=False, bbox_file="none.json"))
    with pytest.raises(DataError, match="list of detections"):
        len(dataset(folder, use_gt_bbox=False, bbox_file="persons.json"))
    with pytest.raises(ConfigError, match="bbox_file"):
        dataset(folder, use_gt_bbox=False)


def test_contradictions_are_config_errors(tmp_path):
    from ppdet.codecs import HeatmapCodec

    codec = HeatmapCodec(input_wh=(96, 128))
    assert dataset(tmp_path, trainsize=None, codec=codec).input_wh == (96, 128)
    with pytest.raises(ConfigError, match="192, 256.*96, 128"):
        dataset(tmp_path, trainsize=[192, 256], codec=codec)
    with pytest.raises(ConfigError, match="num_joints is 16.*17"):
        dataset(tmp_path, num_joints=16, skeleton="coco17")
    with pytest.raises(ConfigError, match="trainsize"):
        dataset(tmp_path, trainsize=None)


def test_center_scale_moves_the_crop_anew_each_time(coco, write_coco):
    data = dataset(write_coco(coco(1, 1)), center_scale=0.4)
    centers = np.array([data.load(0, np.random.default_rng(i)).center_xy for i in range(200)])
    moved = np.abs(centers - data.describe(0).center_xy).max(axis=1) > 0
    assert 0.2 < moved.mean() < 0.4
    assert (np.abs(centers - data.describe(0).center_xy) <= 0.2 * np.array([17, 35]) + 1e-9).all()


def boxes_of(content, **change):
    """A detector's record for each image, numbered by another program from 100 on in reverse order."""
    images = content["images"]
    records = []
    for number, image in enumerate(images):
        record = {"image_id": len(images) - number, "file_name": image["file_name"], "category_id": 1,
                  "bbox": [number, 4, 10, 20], "score": 0.9}  # fmt: skip
        record.update(change)
        records.append({key: value for key, value in record.items() if value is not None})
    return records


def with_boxes(folder, records, **kwargs):
    (folder / "bbox.json").write_text(json.dumps(records))
    return dataset(folder, use_gt_bbox=False, bbox_file="bbox.json", **kwargs)


def test_file_names_of_boxes_win_over_image_ids(coco, write_coco, caplog):
    content = coco()
    data = with_boxes(write_coco(content), boxes_of(content))
    with caplog.at_level(logging.WARNING):
        samples = [data.describe(i) for i in range(len(data))]
    assert [(s.image_id, s.box_xyxy[0]) for s in samples] == [(1, 0), (2, 1), (3, 2), (4, 3)]
    (line,) = [r.getMessage() for r in caplog.records]
    assert "bbox.json" in line and "4 of 4 boxes" in line and "matched by file_name" in line


def test_file_names_of_boxes_may_have_folders_and_unknown_ids(coco, write_coco, caplog):
    content = coco()
    folder = write_coco(content)
    records = boxes_of(content, image_id=999)
    for record in records:
        record["file_name"] = "/elsewhere/photos/" + record["file_name"]
    with caplog.at_level(logging.WARNING):
        assert [s.image_id for s in map(with_boxes(folder, records).describe, range(4))] == [1, 2, 3, 4]
    assert not caplog.records


def test_one_name_in_two_folders_is_told_apart_by_folder_then_by_id(tmp_path):
    from ppdet.data.coco.image_match import ImageMatcher
    from ppdet.data.coco.person_table import ImageTable

    matcher = ImageMatcher(ImageTable(["d/a/1.jpg", "d/b/1.jpg"], np.array([7, 8]), np.zeros((2, 2), np.int64)))
    assert matcher.row({"image_id": 7, "file_name": "b/1.jpg"}) == 1
    assert matcher.row({"image_id": 8, "file_name": "1.jpg"}) == 1
    assert matcher.row({"image_id": 9, "file_name": "1.jpg"}) is None
    assert (matcher.contradictions, matcher.strangers) == (1, {"1.jpg"})


def test_boxes_for_few_of_the_images_are_told(coco, write_coco, caplog):
    content = coco()
    folder = write_coco(content)
    records = [dict(r, image_id=900 + i) for i, r in enumerate(boxes_of(content, file_name=None))]
    records[0]["image_id"] = 2
    with caplog.at_level(logging.WARNING):
        assert len(with_boxes(folder, records)) == 1
    text = "\n".join(r.getMessage() for r in caplog.records)
    assert "boxes for 1 of the dataset's 4 images and for 3 others" in text and "write `file_name`" in text


@pytest.mark.parametrize("change, reason", [({"category_id": 3}, "4 detections of category 3"),
                                            ({"image_id": 900, "file_name": None}, "on an image the dataset does not have"),
                                            ({"score": 0.1}, "score below 0.5")])  # fmt: skip
def test_a_file_of_boxes_that_does_not_fit_is_named(coco, write_coco, change, reason):
    content = coco()
    folder = write_coco(content)
    with pytest.raises(DataError) as info:
        len(with_boxes(folder, boxes_of(content, **change), image_thre=0.5))
    assert "bbox_file" in str(info.value) and "bbox.json" in str(info.value) and reason in str(info.value)


@pytest.mark.parametrize(
    ("box", "expected"),
    [("given", [4, 5, 21, 40]), ("extent", None), ("image", [0, 0, 63, 47])],
)
def test_where_boxes_come_from(coco, write_coco, box, expected):
    content = coco(1, 1)
    data = dataset(write_coco(content), box=box).parse()
    points = np.array(content["annotations"][0]["keypoints"]).reshape(-1, 3)[:, :2]
    if expected is None:
        expected = [*points.min(axis=0), *np.maximum(points.max(axis=0) - 1, points.min(axis=0))]
    np.testing.assert_allclose(data.persons.boxes_xyxy, [expected], atol=1e-6)
    assert data.box == box


def test_an_unknown_box_and_an_image_of_unknown_size(coco, write_coco):
    content = coco(1, 1)
    with pytest.raises(ConfigError, match="box is one of given, extent, image; given 'keypoints'"):
        dataset(write_coco(content), box="keypoints")
    del content["images"][0]["width"]
    np.testing.assert_allclose(dataset(write_coco(content), box="image").parse().persons.boxes_xyxy, [[0, 0, 63, 47]])


@pytest.mark.parametrize("change", ["annotation", "image", "detection"])
def test_fractions_of_the_image_are_refused(coco, write_coco, change):
    content = coco(2, 2)
    for entry in content["annotations"]:
        entry["bbox"] = [entry["bbox"][0] / 64, entry["bbox"][1] / 48, entry["bbox"][2] / 64, entry["bbox"][3] / 48]
    folder = write_coco(coco(2, 2) if change == "detection" else content)
    (folder / "bbox.json").write_text(json.dumps([{**entry, "score": 0.5} for entry in content["annotations"]]))
    with pytest.raises(DataError, match="fractions of the image, from 0 to 1; expected pixels"):
        dataset(folder, **({"use_gt_bbox": False, "bbox_file": "bbox.json"} if change == "detection" else {})).parse()


def test_boxes_of_corners_and_repeated_persons_are_told(coco, write_coco, caplog):
    content = coco(4, 2)
    for entry in content["annotations"]:
        x, y, w, h = entry["bbox"]
        entry["bbox"] = [x, y, x + w, y + h]
    content["annotations"].append({**content["annotations"][0], "id": 77})
    with caplog.at_level(logging.WARNING):
        dataset(write_coco(content)).parse()
    text = caplog.text
    assert "1 of 9 persons are listed twice, e.g. annotation 1 and annotation 77" in text and "halve AP" in text
    assert "look like [x1, y1, x2, y2]" in text


def corners(entry):
    x, y, w, h = entry["bbox"]
    entry["bbox"] = [x, y, x + w, y + h]


def beyond(entry):
    entry["bbox"][2] = 200


def elsewhere(entry):
    entry["bbox"] = [1, 1, 4, 4]


def as_probability(entry):
    entry["keypoints"][2::3] = [0.9] * 17


def as_placeholder(entry):
    entry["keypoints"][:3] = [0, 0, None]


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        (corners, "1 of 8 boxes look like [x1, y1, x2, y2], e.g. of annotation 99"),
        (beyond, "1 of 8 boxes reach far beyond their image and are cut to it, e.g. of annotation 99"),
        (elsewhere, "1 of 8 persons have most of their keypoints outside their box, e.g. annotation 99"),
        (as_probability, "17 keypoints have a visibility other than 0, 1 and 2, e.g. 0.9"),
        (as_placeholder, None),
    ],
)
def test_a_doubtful_person_among_right_ones_is_told(coco, write_coco, caplog, change, remark):
    content = coco()
    content["annotations"][3]["id"] = 99
    change(content["annotations"][3])
    with caplog.at_level(logging.WARNING):
        data = dataset(write_coco(content)).parse()
    assert len(data) == 8 and data.report.num_bad == 0
    assert [remark in note for note in data.report.notes] == [True] if remark else data.report.notes == []


@pytest.mark.parametrize(("swap", "remarks"), [((0, 0), 0), ((1, 2), 1)])
def test_names_in_another_order_than_the_skeleton_are_told(coco, write_coco, swap, remarks):
    content = coco()
    names = [name.replace("_", " ").title() for name in get_skeleton("coco17").names]
    first, second = swap
    names[first], names[second] = names[second], names[first]
    content["categories"][0]["keypoints"] = names
    notes = dataset(write_coco(content), skeleton="coco17", num_joints=17).parse().report.notes
    assert len(notes) == remarks
    if remarks:
        assert "names keypoint 2 Right Eye, and skeleton coco17 names it left_eye (2 differ)" in notes[0]


def test_names_that_the_skeleton_does_not_have_are_told(coco, write_coco):
    content = coco()
    content["categories"][0]["keypoints"] = [*get_skeleton("coco17").names[:15], "tail", "left paw"]
    notes = dataset(write_coco(content), skeleton="coco17", num_joints=17).parse().report.notes
    assert len(notes) == 1 and "names keypoints that skeleton coco17 does not have (tail, left paw)" in notes[0]


def test_backslashes_and_odd_file_names(coco, write_coco, caplog):
    content = coco(4, 1)
    folder = write_coco(content)
    (folder / "images" / "sub").mkdir()
    (folder / "images" / "001.png").rename(folder / "images" / "sub" / "001.png")
    (folder / "images" / "folder.png").mkdir()
    for image, name in zip(content["images"], ["sub\\001.png", "a\0b.png", "\ud800.png", "folder.png"]):
        image["file_name"] = name
    (folder / "persons.json").write_text(json.dumps(content))
    with caplog.at_level(logging.WARNING):
        data = dataset(folder).parse()
    assert [path.split("images/")[1] for path in data.images.paths] == ["sub/001.png"] and data[0].image is not None
    assert "2 x image with a `file_name` that no file can have" in caplog.text and "folder.png" in caplog.text


def test_detections_name_the_categories_of_the_annotation_file(coco, write_coco):
    content = coco(2, 1)
    content["categories"] = [{**content["categories"][0], "id": 7}, {**content["categories"][0], "id": "calf", "name": "calf"}]
    for entry, category in zip(content["annotations"], (7, "calf")):
        entry["category_id"] = category
    folder = write_coco(content)
    found = [{**entry, "score": "0.5", "image_id": str(entry["image_id"])} for entry in content["annotations"]]
    (folder / "bbox.json").write_text(json.dumps([*found, {**found[0], "category_id": 1}]))
    data = dataset(folder, use_gt_bbox=False, bbox_file="bbox.json").parse()
    assert data.persons.category_row.tolist() == [0, 1] == dataset(folder).parse().persons.category_row.tolist()
    with pytest.raises(DataError, match="none of its 3 boxes of category calf|listed"):
        (folder / "bbox.json").write_text(json.dumps([found[0]] * 3))
        dataset(folder, use_gt_bbox=False, bbox_file="bbox.json", category="calf").parse()
