"""The readers of files from outside, each with valid files to start from. A reader may use what it is given or refuse it with a
`PpdetError`; anything else that comes out of it is a fault.

Used by `fuzz.py` (guided by coverage) and by `test_targets.py` (a few changes of each seed, with every run of the tests).
"""

from __future__ import annotations

import json
import logging
import shutil
import string
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, NamedTuple

import cv2
import numpy as np

from ppdet.annotations.tracking_labels import read_jde_labels, read_mot_truth
from ppdet.core.config.load import load_config
from ppdet.core.config.yaml_loader import load_plain_yaml
from ppdet.core.errors import PpdetError
from ppdet.data.checking.check import check_files, report
from ppdet.data.formats.reading import read_annotations
from ppdet.data.formats.writers.writing import SUFFIXES, write_annotations
from ppdet.data.sources.bottom_up_coco import KeypointBottomUpCocoDataset
from ppdet.data.sources.coco_top_down import KeypointTopDownCocoDataset
from ppdet.data.sources.detection import COCODataSet
from ppdet.data.sources.mpii import KeypointTopDownMPIIDataset
from ppdet.engine.weights.restricted_pickle import loads_restricted
from ppdet.image.dicom import dicom_spacing
from ppdet.image.io import read_image, read_image_header
from ppdet.inference.files.earlier_results import EarlierResults
from ppdet.inference.files.pose_files import read_pose_file
from ppdet.inference.model_card import ModelCard
from ppdet.inference.zones.reading import load_zones
from ppdet.metrics.result_file import read_results
from ppdet.skeletons import get_skeleton
from ppdet.skeletons.tables import MPII16

WIDTH, HEIGHT = 64, 48
PARTS = b"\n=====\n"
"""Between the files of a target that reads two."""
STICK = {"name": "stick", "keypoints": ["top", "middle", "bottom"]}


class Target(NamedTuple):
    """A reader.

    Attributes:
        seeds: valid files, made in an empty folder.
        read: reads the bytes of a file; the folder holds the images `1.png` and `2.png`.
        structured: the files are JSON, which is also changed by its structure.
        costly: a process per file.
    """

    seeds: Callable[[Path], list[bytes]]
    read: Callable[[bytes, Path], Any]
    structured: bool = False
    costly: bool = False


def content(names: Any = STICK["keypoints"]) -> dict[str, Any]:
    """Annotations of three objects in the two images, in COCO's form."""
    rng = np.random.default_rng(0)
    annotations = []
    for number, image in enumerate((1, 1, 2), start=1):
        points = np.column_stack([rng.uniform(5, 40, (len(names), 2)).round(2), np.full(len(names), 2)])
        points[number % len(names)] = 0
        annotations.append(
            {"id": number, "image_id": image, "category_id": 1, "iscrowd": 0, "bbox": [4, 5, 38, 36], "area": 900.0,
             "num_keypoints": len(names) - 1, "keypoints": points.reshape(-1).tolist()}
        )  # fmt: skip
    images = [{"id": n, "file_name": f"{n}.png", "width": WIDTH, "height": HEIGHT} for n in (1, 2)]
    category = {"id": 1, "name": "stick", "keypoints": list(names), "skeleton": [[1, 2], [2, 3]]}
    return {"images": images, "annotations": annotations, "categories": [category]}


def _dumped(*documents: Any) -> list[bytes]:
    return [json.dumps(document).encode() for document in documents]


def _written_as(tool: str) -> Callable[[Path], list[bytes]]:
    def seeds(folder: Path) -> list[bytes]:
        names = MPII16.names if tool == "mpii" else STICK["keypoints"]
        output = folder / f"seed{SUFFIXES.get(tool, '')}"
        write_annotations(content(names), tool, output, folder)
        if tool == "labelme":
            return [path.read_bytes() for path in sorted(output.rglob("*.json"))]
        if tool == "yolo-pose":
            (yaml,) = output.glob("*.y*ml")
            return [yaml.read_bytes() + PARTS + path.read_bytes() for path in sorted(output.rglob("*.txt"))]
        return [output.read_bytes()]

    return seeds


def _annotations(suffix: str) -> Callable[[bytes, Path], Any]:
    def read(data: bytes, folder: Path) -> None:
        path = folder / f"a{suffix}"
        path.write_bytes(data)
        read_annotations(path, folder)

    return read


def _read_labelme(data: bytes, folder: Path) -> None:
    labels = folder / "labels"
    labels.mkdir(exist_ok=True)
    (labels / "1.json").write_bytes(data)
    read_annotations(labels, folder)


def _read_yolo(data: bytes, folder: Path) -> None:
    description, _, labels = data.partition(PARTS)
    (folder / "labels").mkdir(exist_ok=True)
    (folder / "images").mkdir(exist_ok=True)
    (folder / "labels" / "1.txt").write_bytes(labels)
    (folder / "data.yaml").write_bytes(description)
    read_annotations(folder / "data.yaml", folder)


def _yolo_seeds(folder: Path) -> list[bytes]:
    (folder / "images").mkdir()
    (folder / "images" / "1.png").write_bytes((folder / "1.png").read_bytes())
    plain = "path: .\ntrain: images\nval: images\nkpt_shape: [3, 3]\nflip_idx: [0, 2, 1]\nnames: {0: stick}\n"
    rows = "0 0.3 0.4 0.5 0.6 0.3 0.2 2 0.4 0.5 1 0 0 0\n"
    return [*_written_as("yolo-pose")(folder), plain.encode() + PARTS + rows.encode()]


def _read_coco(data: bytes, folder: Path) -> None:
    path = folder / "a.json"
    path.write_bytes(data)
    readers: list[Callable[[], Any]] = [
        lambda: read_annotations(path, folder),
        lambda: _samples(KeypointTopDownCocoDataset(str(folder), "", "a.json", 3, [48, 64], skeleton=STICK)),
        lambda: _samples(KeypointBottomUpCocoDataset(str(folder), "", "a.json", 3, test_mode=True)),
        lambda: _samples(COCODataSet(str(folder), "", "a.json")),
        lambda: report(check_files([path], look_at_images=False)),
    ]
    for reader in readers:
        with suppress(PpdetError):
            reader()


def _samples(dataset: Any) -> None:
    for index in range(min(len(dataset), 3)):
        dataset[index]


def _mpii_seeds(folder: Path) -> list[bytes]:
    entry = {"image": "1.png", "center": [30, 20], "scale": 0.2, "joints": [[1, 2]] * 16, "joints_vis": [1] * 16}
    return [*_written_as("mpii")(folder), *_dumped([entry])]


def _read_mpii(data: bytes, folder: Path) -> None:
    (folder / "a.json").write_bytes(data)
    with suppress(PpdetError):
        _samples(KeypointTopDownMPIIDataset(str(folder), "", "a.json", trainsize=[64, 64]))
    read_annotations(folder / "a.json", folder)


def _mat_seeds(folder: Path) -> list[bytes]:
    from scipy.io import savemat

    joint = np.array([(float(i), 20.0, i, 1) for i in range(16)], [("x", "O"), ("y", "O"), ("id", "O"), ("is_visible", "O")])
    person = {"annopoints": {"point": joint}, "scale": 1.0, "objpos": {"x": 20.0, "y": 20.0}, "x1": 2, "y1": 2, "x2": 9, "y2": 9}
    annolist = np.array([({"name": "1.png"}, person)], [("image", "O"), ("annorect", "O")])
    savemat(folder / "m.mat", {"RELEASE": {"annolist": annolist, "img_train": np.ones(1)}})
    return [(folder / "m.mat").read_bytes()]


def _deeplabcut_seeds(folder: Path) -> list[bytes]:
    several = "scorer,A,A,A,A\nindividuals,m1,m1,m2,m2\nbodyparts,snout,snout,tail,tail\ncoords,x,y,x,y\n1.png,21.5,26.4,,\n"
    return [*_written_as("deeplabcut")(folder), several.encode()]


def _sleap_h5_seeds(folder: Path) -> list[bytes]:
    import h5py

    tracks = np.full((1, 2, 2, 3), np.nan)
    tracks[0, :, 0, 1] = 21.5, 26.4
    with h5py.File(folder / "a.h5", "w") as file:
        file["tracks"], file["node_names"], file["edge_names"] = tracks, [b"nose", b"tail"], [[b"nose", b"tail"]]
    frames = np.array([(0, 0, 1, 0, 1)], [("frame_id", "u8"), ("video", "u4"), ("frame_idx", "u8"), ("instance_id_start", "u8"),
                                            ("instance_id_end", "u8")])  # fmt: skip
    rows = [("instance_id", "i8"), ("instance_type", "u1"), ("point_id_start", "u8"), ("point_id_end", "u8")]
    points = [("x", "f8"), ("y", "f8"), ("visible", "?"), ("complete", "?")]
    skeleton = {"nodes": [{"name": "tail"}, {"name": "nose"}], "skeletons": [{"nodes": [{"id": 1}, {"id": 0}], "links": []}]}
    with h5py.File(folder / "p.slp", "w") as file:
        file["frames"], file["instances"] = frames, np.array([(0, 0, 0, 2)], rows)
        file["points"] = np.array([(22.0, 26.9, True, True), (np.nan, np.nan, False, False)], points)
        file.create_group("metadata").attrs.update({"json": json.dumps(skeleton), "format_id": 1.0})
    return [(folder / name).read_bytes() for name in ("a.h5", "p.slp")]


def _card_seeds(folder: Path) -> list[bytes]:
    import yaml
    from support.planted_models import pose_card

    detector = {
        "mode": "paddle", "draw_threshold": 0.5, "metric": "COCO", "arch": "PicoDet", "min_subgraph_size": 3,
        "Preprocess": [{"type": "Resize", "interp": 2, "keep_ratio": False, "target_size": [192, 192]},
                       {"type": "NormalizeImage", "is_scale": True, "mean": [0.4, 0.4, 0.4], "std": [0.2, 0.2, 0.2]},
                       {"type": "Permute"}, {"type": "PadStride", "stride": 32}],
        "label_list": ["person"], "fpn_stride": [8, 16],
        "NMS": {"name": "MultiClassNMS", "score_threshold": 0.3, "nms_threshold": 0.5, "nms_top_k": 1000, "keep_top_k": 100},
    }  # fmt: skip
    return [yaml.safe_dump(card, sort_keys=False).encode() for card in (detector, pose_card().to_dict())]


def _read_card(data: bytes, folder: Path) -> None:
    (folder / "infer_cfg.yml").write_bytes(data)
    ModelCard.load(folder)


def _config_seeds(folder: Path) -> list[bytes]:
    from support.small_configs import TINYPOSE

    fields = {name for _, name, _, _ in string.Formatter().parse(TINYPOSE) if name}
    whole = TINYPOSE.format(**dict.fromkeys(fields, 64))
    tags = "_BASE_: ['base.yml']\na: &x {b: [1, 2.5e3, true, ~]}\nc: {<<: *x, d: !CosineDecay {max_epochs: 3}}\n"
    return [whole.encode(), tags.encode()]


def _read_config(data: bytes, folder: Path) -> None:
    (folder / "a.yml").write_bytes(data)
    load_config(folder / "a.yml", ["epoch=4"])


def _weight_seeds(folder: Path) -> list[bytes]:
    import pickle

    weights = {"a.weight": np.ones((2, 3), np.float32), "b": np.arange(4), "StructuredToParameterName@@": {"a.weight": "w_0"}}
    state = {"format": 1, "epoch": 2, "best_value": 0.5, "scaler": {}, "list": [("n", np.float64(2))]}
    return [pickle.dumps(value, protocol) for value in (weights, state) for protocol in (0, 2, 4)]


def _read_weights(data: bytes, folder: Path) -> None:
    """Errors of the pickle module itself become a `CheckpointError` where the file is opened."""
    try:
        loads_restricted(data)
    except (MemoryError, RecursionError, SystemError):
        raise
    except Exception:
        return


def _result_seeds(folder: Path) -> list[bytes]:
    points = [8, 9, 0.9, 20, 30, 0.8, 4, 5, 0.1]
    coco = [{"image_id": 1, "category_id": 1, "keypoints": points, "score": 0.7, "bbox": [4, 5, 30, 40]}]
    deploy = [["1.png", [[4, 5, 34, 45]], [[[[8, 9, 0.9], [20, 30, 0.8], [4, 5, 0.1]]], [[0.6]]]]]
    named = [{"image": "1.png", "people": [{"keypoints": {"top": [8, 9, 0.9]}, "score": 0.7, "box": [4, 5, 34, 45]}]}]
    line = {"frame": 1, "width": 9, "height": 9, "people": [{"box": [0, 0, 1, 1], "box_score": 1, "keypoints": {}, "id": 1}]}
    return [*_dumped(coco, deploy, named, line, content()), b"\n".join(_dumped(line, {**line, "frame": 2}, named[0]))]


def _read_results(data: bytes, folder: Path) -> None:
    for name in ("a.json", "a.jsonl"):
        (folder / name).write_bytes(data)
    for reader in (
        lambda: read_pose_file(folder / "a.json"),
        lambda: read_pose_file(folder / "a.jsonl"),
        lambda: read_results(folder / "a.json", "a.json"),
        lambda: EarlierResults.read(folder / "a.jsonl"),
    ):
        with suppress(PpdetError):
            reader()


def _image_seeds(folder: Path) -> list[bytes]:
    image = np.random.default_rng(0).integers(0, 255, (12, 16, 3), np.uint8)
    suffixes = (".jpg", ".png", ".webp", ".tiff", ".bmp", ".ppm")
    return [cv2.imencode(suffix, image)[1].tobytes() for suffix in suffixes]


def _read_image(data: bytes, folder: Path) -> None:
    path = folder / "a.jpg"
    path.write_bytes(data)
    with suppress(PpdetError):
        read_image_header(path)
    read_image(path, apply_orientation=True, max_pixels=100_000)


def _dicom_seeds(folder: Path) -> list[bytes]:
    from support.dicom_files import write_dicom

    grey, colors = np.arange(48, dtype=np.uint16).reshape(6, 8), np.zeros((4, 5, 3), np.uint8)
    window = {"WindowCenter": 20, "WindowWidth": 30, "RescaleSlope": 2, "RescaleIntercept": 1}
    write_dicom(folder / "a.dcm", grey, PixelSpacing=[0.2, 0.2], **window)
    write_dicom(folder / "b.dcm", grey, preamble=False)
    write_dicom(folder / "c.dcm", colors, bits=8)
    return [(folder / f"{name}.dcm").read_bytes() for name in "abc"]


def _read_dicom(data: bytes, folder: Path) -> None:
    path = folder / "a.dcm"
    path.write_bytes(data)
    for reader in (read_image_header, dicom_spacing):
        with suppress(PpdetError):
            reader(path)
    read_image(path, max_pixels=100_000)


def _track_seeds(folder: Path) -> list[bytes]:
    return [b"0 1 0.5 0.5 0.2 0.3\n0 -1 0.1 0.2 0.05 0.05\n", b"1,2,10,20,30,40,1,1,0.5\n2,2,11,20,30,40,0,1,1\n"]


def _read_tracks(data: bytes, folder: Path) -> None:
    (folder / "a.txt").write_bytes(data)
    for reader in (read_jde_labels, read_mot_truth):
        with suppress(PpdetError):
            reader(folder / "a.txt")


def _read_zones(data: bytes, folder: Path) -> None:
    (folder / "zones.yml").write_bytes(data)
    load_zones(folder / "zones.yml")


def _zone_seeds(folder: Path) -> list[bytes]:
    return [b"zones:\n  door: [[1, 2], [30, 40], [5, 9]]\n  room: {points: [[0, 0], [.9, 0], [.9, 1]], anchor: center}\n"]


def _read_skeleton(data: bytes, folder: Path) -> None:
    (folder / "s.yml").write_bytes(data)
    content = load_plain_yaml(folder / "s.yml")
    get_skeleton(content if isinstance(content, dict) else str(content))


def _skeleton_seeds(folder: Path) -> list[bytes]:
    return [b"name: s\nkeypoints:\n- {name: a, sigma: .05}\n- {name: l, mirror: r, color: [1, 2, 3]}\n- {name: r, mirror: l}\n"
            b"links: [[a, l], [a, r]]\n"]  # fmt: skip


TARGETS: dict[str, Target] = {
    "coco": Target(lambda folder: _dumped(content(), {**content(), "categories": []}), _read_coco, True),
    "labelme": Target(_written_as("labelme"), _read_labelme, True),
    "label-studio": Target(_written_as("label-studio"), _annotations(".json"), True),
    "mpii-json": Target(_mpii_seeds, _read_mpii, True),
    "results": Target(_result_seeds, _read_results, True),
    "cvat": Target(_written_as("cvat"), _annotations(".xml")),
    "deeplabcut": Target(_deeplabcut_seeds, _annotations(".csv")),
    "sleap-csv": Target(_written_as("sleap"), _annotations(".csv")),
    "sleap-h5": Target(_sleap_h5_seeds, _annotations(".slp"), costly=True),
    "yolo-pose": Target(_yolo_seeds, _read_yolo),
    "mpii-mat": Target(_mat_seeds, _annotations(".mat"), costly=True),
    "tracks": Target(_track_seeds, _read_tracks),
    "card": Target(_card_seeds, _read_card),
    "config": Target(_config_seeds, _read_config),
    "skeleton": Target(_skeleton_seeds, _read_skeleton),
    "zones": Target(_zone_seeds, _read_zones),
    "weights": Target(_weight_seeds, _read_weights),
    "image": Target(_image_seeds, _read_image),
    "dicom": Target(_dicom_seeds, _read_dicom),
}


def prepare(folder: Path) -> None:
    """The two images that annotations refer to, and the base of a config; log lines of thousands of inputs are left out."""
    logging.disable(logging.CRITICAL)
    (folder / "base.yml").write_text("epoch: 3\nLearningRate: {base_lr: 0.1}\n")
    for number in (1, 2):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((HEIGHT, WIDTH, 3), 90, np.uint8))


def seeds(name: str) -> list[bytes]:
    """Valid files of a target."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        return TARGETS[name].seeds(Path(folder))


def working_folder(name: str) -> Path:
    """A folder for the files of one process, in memory if there is such a file system."""
    memory = Path("/dev/shm")
    # One level down, since seeds name the folder above them.
    folder = Path(tempfile.mkdtemp(prefix=f"ppdet-fuzz-{name}-", dir=memory if memory.is_dir() else None)) / "files"
    folder.mkdir()
    prepare(folder)
    return folder


def give(name: str, data: bytes, folder: Path) -> bool:
    """Let a reader read a file; whether it took it.

    Raises:
        Exception: anything but a `PpdetError`, which is a fault.
    """
    try:
        TARGETS[name].read(data, folder)
    except PpdetError as error:
        assert str(error)
        return False
    finally:
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
    return True
