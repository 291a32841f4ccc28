"""The skeletons of the public datasets, one table each.

Rows are ``name, mirror, part, sigma``; order and sigmas are those of the dataset:
COCO (Lin et al., ECCV 2014, keypoint evaluation), MPII (Andriluka et al., CVPR 2014), AI Challenger (Wu et al., 2017),
CrowdPose (Li et al., CVPR 2019), LSP (Johnson and Everingham, BMVC 2010), COCO-WholeBody hand (Jin et al., ECCV 2020).
"""

from __future__ import annotations

from ppdet.skeletons.base import Keypoint, Skeleton

Row = tuple[str, str, str, float]


def _rows(*rows: Row) -> tuple[Keypoint, ...]:
    return tuple(Keypoint(name, mirror, part, sigma) for name, mirror, part, sigma in rows)


COCO17 = Skeleton(
    "coco17",
    _rows(
        ("nose", "nose", "upper", 0.026),
        ("left_eye", "right_eye", "upper", 0.025),
        ("right_eye", "left_eye", "upper", 0.025),
        ("left_ear", "right_ear", "upper", 0.035),
        ("right_ear", "left_ear", "upper", 0.035),
        ("left_shoulder", "right_shoulder", "upper", 0.079),
        ("right_shoulder", "left_shoulder", "upper", 0.079),
        ("left_elbow", "right_elbow", "upper", 0.072),
        ("right_elbow", "left_elbow", "upper", 0.072),
        ("left_wrist", "right_wrist", "upper", 0.062),
        ("right_wrist", "left_wrist", "upper", 0.062),
        ("left_hip", "right_hip", "lower", 0.107),
        ("right_hip", "left_hip", "lower", 0.107),
        ("left_knee", "right_knee", "lower", 0.087),
        ("right_knee", "left_knee", "lower", 0.087),
        ("left_ankle", "right_ankle", "lower", 0.089),
        ("right_ankle", "left_ankle", "lower", 0.089),
    ),
    (
        ("left_ankle", "left_knee"),
        ("left_knee", "left_hip"),
        ("right_ankle", "right_knee"),
        ("right_knee", "right_hip"),
        ("left_hip", "right_hip"),
        ("left_shoulder", "left_hip"),
        ("right_shoulder", "right_hip"),
        ("left_shoulder", "right_shoulder"),
        ("left_shoulder", "left_elbow"),
        ("right_shoulder", "right_elbow"),
        ("left_elbow", "left_wrist"),
        ("right_elbow", "right_wrist"),
        ("left_eye", "right_eye"),
        ("nose", "left_eye"),
        ("nose", "right_eye"),
        ("left_eye", "left_ear"),
        ("right_eye", "right_ear"),
        ("left_ear", "left_shoulder"),
        ("right_ear", "right_shoulder"),
    ),
    "COCO's, published (Lin et al., 2014)",
)

MPII16 = Skeleton(
    "mpii16",
    _rows(
        ("right_ankle", "left_ankle", "lower", 0.089),
        ("right_knee", "left_knee", "lower", 0.083),
        ("right_hip", "left_hip", "lower", 0.107),
        ("left_hip", "right_hip", "lower", 0.107),
        ("left_knee", "right_knee", "lower", 0.083),
        ("left_ankle", "right_ankle", "lower", 0.089),
        ("pelvis", "pelvis", "lower", 0.026),
        ("thorax", "thorax", "upper", 0.026),
        ("upper_neck", "upper_neck", "upper", 0.026),
        ("head_top", "head_top", "upper", 0.026),
        ("right_wrist", "left_wrist", "upper", 0.062),
        ("right_elbow", "left_elbow", "upper", 0.072),
        ("right_shoulder", "left_shoulder", "upper", 0.079),
        ("left_shoulder", "right_shoulder", "upper", 0.079),
        ("left_elbow", "right_elbow", "upper", 0.072),
        ("left_wrist", "right_wrist", "upper", 0.062),
    ),
    (
        ("right_ankle", "right_knee"),
        ("right_knee", "right_hip"),
        ("right_hip", "pelvis"),
        ("pelvis", "left_hip"),
        ("left_hip", "left_knee"),
        ("left_knee", "left_ankle"),
        ("pelvis", "thorax"),
        ("thorax", "upper_neck"),
        ("upper_neck", "head_top"),
        ("thorax", "right_shoulder"),
        ("right_shoulder", "right_elbow"),
        ("right_elbow", "right_wrist"),
        ("thorax", "left_shoulder"),
        ("left_shoulder", "left_elbow"),
        ("left_elbow", "left_wrist"),
    ),
    "those that PaddleDetection and MMPose use for MPII",
)

# CrowdPose and AI Challenger have the same fourteen keypoints in different orders.
_LIMBS14 = (
    ("left_shoulder", "left_elbow"),
    ("left_elbow", "left_wrist"),
    ("right_shoulder", "right_elbow"),
    ("right_elbow", "right_wrist"),
    ("left_shoulder", "left_hip"),
    ("right_shoulder", "right_hip"),
    ("left_hip", "left_knee"),
    ("left_knee", "left_ankle"),
    ("right_hip", "right_knee"),
    ("right_knee", "right_ankle"),
    ("left_hip", "right_hip"),
    ("left_shoulder", "neck"),
    ("right_shoulder", "neck"),
    ("neck", "head_top"),
)

CROWDPOSE14 = Skeleton(
    "crowdpose14",
    _rows(
        ("left_shoulder", "right_shoulder", "upper", 0.079),
        ("right_shoulder", "left_shoulder", "upper", 0.079),
        ("left_elbow", "right_elbow", "upper", 0.072),
        ("right_elbow", "left_elbow", "upper", 0.072),
        ("left_wrist", "right_wrist", "upper", 0.062),
        ("right_wrist", "left_wrist", "upper", 0.062),
        ("left_hip", "right_hip", "lower", 0.107),
        ("right_hip", "left_hip", "lower", 0.107),
        ("left_knee", "right_knee", "lower", 0.087),
        ("right_knee", "left_knee", "lower", 0.087),
        ("left_ankle", "right_ankle", "lower", 0.089),
        ("right_ankle", "left_ankle", "lower", 0.089),
        ("head_top", "head_top", "upper", 0.079),
        ("neck", "neck", "upper", 0.079),
    ),
    _LIMBS14,
    "CrowdPose's, published (Li et al., 2019)",
)

AIC14 = Skeleton(
    "aic14",
    _rows(
        ("right_shoulder", "left_shoulder", "upper", 0.01388152),
        ("right_elbow", "left_elbow", "upper", 0.01515228),
        ("right_wrist", "left_wrist", "upper", 0.01057665),
        ("left_shoulder", "right_shoulder", "upper", 0.01417709),
        ("left_elbow", "right_elbow", "upper", 0.01497891),
        ("left_wrist", "right_wrist", "upper", 0.01402144),
        ("right_hip", "left_hip", "lower", 0.03909642),
        ("right_knee", "left_knee", "lower", 0.03686941),
        ("right_ankle", "left_ankle", "lower", 0.01981803),
        ("left_hip", "right_hip", "lower", 0.03843971),
        ("left_knee", "right_knee", "lower", 0.03412318),
        ("left_ankle", "right_ankle", "lower", 0.02415081),
        ("head_top", "head_top", "upper", 0.01291456),
        ("neck", "neck", "upper", 0.01236173),
    ),
    _LIMBS14,
    "AI Challenger's, published (Wu et al., 2017)",
)

LSP14 = Skeleton(
    "lsp14",
    _rows(
        ("right_ankle", "left_ankle", "lower", 0.089),
        ("right_knee", "left_knee", "lower", 0.087),
        ("right_hip", "left_hip", "lower", 0.107),
        ("left_hip", "right_hip", "lower", 0.107),
        ("left_knee", "right_knee", "lower", 0.087),
        ("left_ankle", "right_ankle", "lower", 0.089),
        ("right_wrist", "left_wrist", "upper", 0.062),
        ("right_elbow", "left_elbow", "upper", 0.072),
        ("right_shoulder", "left_shoulder", "upper", 0.079),
        ("left_shoulder", "right_shoulder", "upper", 0.079),
        ("left_elbow", "right_elbow", "upper", 0.072),
        ("left_wrist", "right_wrist", "upper", 0.062),
        ("neck", "neck", "upper", 0.079),
        ("head_top", "head_top", "upper", 0.079),
    ),
    _LIMBS14,
    "COCO's for the 12 joints of both, .079 for neck and head top",
)

_FINGERS = ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")
_HAND_SIGMAS = (0.029, 0.022, 0.035, 0.037, 0.047, 0.026, 0.025, 0.024, 0.035, 0.018, 0.024, 0.022, 0.026, 0.017,
                0.021, 0.021, 0.032, 0.02, 0.019, 0.022, 0.031)  # fmt: skip
_HAND_NAMES = ("wrist", *(f"{finger}{joint}" for finger in _FINGERS for joint in (1, 2, 3, 4)))

HAND21 = Skeleton(
    "hand21",
    tuple(Keypoint(name, name, "other", sigma) for name, sigma in zip(_HAND_NAMES, _HAND_SIGMAS)),
    tuple(
        pair
        for finger in _FINGERS
        for pair in (("wrist", f"{finger}1"), *((f"{finger}{j}", f"{finger}{j + 1}") for j in (1, 2, 3)))
    ),
    "COCO-WholeBody's, published (Jin et al., 2020)",
)

TABLES = {s.name: s for s in (COCO17, MPII16, CROWDPOSE14, AIC14, LSP14, HAND21)}
