"""MPII's validation ground truth: `gt_valid.mat` of the HRNet authors, `mpii_gt_val.mat` of PaddleDetection and MMPose.

Both have the same layout. Axes: N persons, K = 16 keypoints; the file counts pixels from 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping

import numpy as np

from ppdet.core.errors import DataError
from ppdet.core.files import atomic_write
from ppdet.metrics.pckh import head_sizes

TRUTH_FILES = ("mpii_gt_val.mat", "gt_valid.mat")
PREDICTION_FILE = "pred.mat"
# Names of the keypoints in the file, in the order of the skeleton `mpii16`.
JOINT_NAMES = ("rank", "rkne", "rhip", "lhip", "lkne", "lank", "pelv", "thor", "neck", "head", "rwri", "relb", "rsho", "lsho",
               "lelb", "lwri")  # fmt: skip


def find_truth(folder: Path) -> Path:
    """Path of the ground truth beside an annotation file.

    Raises:
        DataError: neither file exists.
    """
    for name in TRUTH_FILES:
        if (folder / name).is_file():
            return folder / name
    raise DataError(
        f"{folder}: neither {' nor '.join(TRUTH_FILES)} found: MPII's ground truth must lie beside the annotation file. "
        "Without it (the test set) use --save_prediction_only."
    )


def read_truth(path: Path) -> dict[str, np.ndarray]:
    """xy (N,16,2) counted from 1, visible (N,16) in {0, 1}, head_size (N,).

    Raises:
        DataError: scipy is missing, or the file is no MPII ground truth.
    """
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise DataError(f"reading {path} needs scipy: pip install scipy") from error
    try:
        content = loadmat(path)
        xy = np.transpose(np.asarray(content["pos_gt_src"], np.float64), (2, 0, 1))
        missing = np.asarray(content["jnt_missing"], np.int64).T
        boxes = np.asarray(content["headboxes_src"], np.float64)  # (2 corners, 2, N)
        head = head_sizes(np.concatenate([boxes[0], boxes[1]]).T)
    except (KeyError, ValueError, TypeError, IndexError, NotImplementedError, OSError) as error:
        raise DataError(
            f"{path} is no ground truth of MPII ({type(error).__name__}: {error}); it must hold pos_gt_src, jnt_missing and "
            "headboxes_src, as in the HRNet authors' gt_valid.mat"
        ) from error
    if xy.shape[1:] != (16, 2) or missing.shape != xy.shape[:2] or head.shape != xy.shape[:1]:
        raise DataError(f"{path}: pos_gt_src {xy.shape}, jnt_missing {missing.shape} and {len(head)} head boxes do not fit "
                        "together; expected 16 keypoints of as many persons each")  # fmt: skip
    _check_names(path, content)
    return {"xy": xy, "visible": 1 - missing, "head_size": head}


def write_predictions(folder: Path, xy: np.ndarray) -> Path | None:
    """Write `pred.mat` with `preds` (N,16,2), pixels counted from 1, in the order of the annotation file.

    This is the format of the authors' tools and of MPII's evaluation server.

    Returns:
        The file, or None without scipy.
    """
    try:
        from scipy.io import savemat
    except ImportError:
        return None
    path = folder / PREDICTION_FILE
    try:
        with atomic_write(path, "wb") as file:
            savemat(file, {"preds": np.asarray(xy, np.float64)})
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}. Choose another folder.") from error
    return path


def _check_names(path: Path, content: Mapping[str, Any]) -> None:
    if "dataset_joints" not in content:
        return
    names = tuple(str(np.asarray(name).reshape(-1)[0]) for name in np.asarray(content["dataset_joints"]).reshape(-1))
    if names != JOINT_NAMES:
        raise DataError(f"{path}: its keypoints are {', '.join(names)}; expected MPII's order {', '.join(JOINT_NAMES)}")
