"""A body in space: joints of a standing, walking or waving person from joint angles (forward kinematics).

Legend: K = 17 COCO keypoints. Body frame: x to the person's left, y up, z forward, origin on the floor below the pelvis, in
units of the person's height. Segment lengths follow Drillis and Contini (1966), rounded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

UPPER_ARM, FOREARM, HAND, THIGH, SHANK, FOOT = 0.186, 0.146, 0.075, 0.245, 0.246, 0.13
SHOULDER_HALF_WIDTH, HIP_HALF_WIDTH = 0.108, 0.055
TORSO, NECK_TO_HEAD = 0.285, 0.105
ANKLE_HEIGHT = 0.042
#: half extents of the head: across, up, forward
HEAD_AXES = np.array([0.052, 0.07, 0.062])
#: directions on the head's ellipsoid, in the body frame (x is mirrored for the right side)
EYE, EAR, NOSE = np.array([0.36, 0.1, 0.92]), np.array([1.0, -0.05, -0.1]), np.array([0.0, -0.16, 1.12])
SIDES = {"left": 1.0, "right": -1.0}


@dataclass(frozen=True)
class Limb:
    """Directions of a limb's two segments.

    Attributes:
        raise_out: angle of the upper segment away from straight down, to the side, in radians; pi is straight up.
        swing: the same to the front.
        lower_out, lower_swing: of the lower segment (forearm or shank), not relative to the upper one.
    """

    raise_out: float = 0.08
    swing: float = 0.0
    lower_out: float = 0.05
    lower_swing: float = 0.0

    def directions(self, side: float) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors (3,) of the upper and the lower segment; `side` is 1 for left, -1 for right."""
        return _direction(self.raise_out, self.swing, side), _direction(self.lower_out, self.lower_swing, side)


@dataclass(frozen=True)
class Posture:
    """Joint angles of a whole body, in radians. `lean` tilts the trunk forward, `bow` the head."""

    left_arm: Limb = field(default_factory=Limb)
    right_arm: Limb = field(default_factory=Limb)
    left_leg: Limb = field(default_factory=lambda: Limb(0.04, 0.0, 0.02, 0.0))
    right_leg: Limb = field(default_factory=lambda: Limb(0.04, 0.0, 0.02, 0.0))
    lean: float = 0.0
    bow: float = 0.0


def walking(phase: float, stride: float = 0.42, arm_swing: float = 0.4) -> Posture:
    """Posture at `phase` (in cycles) of a gait whose thighs swing by `stride` radians either way."""
    turn = 2 * np.pi * phase

    def leg_and_arm(turn: float) -> tuple[Limb, Limb]:
        swing = stride * np.sin(turn)
        bend = 0.1 + 0.85 * max(0.0, np.cos(turn)) ** 1.6 * stride / 0.42  # the knee bends while the leg swings forward
        arm = -arm_swing * np.sin(turn)
        return Limb(0.02, swing + 0.04, 0.0, swing + 0.04 - bend), Limb(0.13, arm, 0.1, arm + 0.3 + 0.25 * max(arm, 0.0))

    left_leg, left_arm = leg_and_arm(turn)
    right_leg, right_arm = leg_and_arm(turn + np.pi)
    return Posture(left_arm, right_arm, left_leg, right_leg, lean=0.03)


def waving(phase: float) -> Posture:
    """Posture of someone who stands and waves with the right hand, the other arm bent at the hip."""
    wave = 0.45 * np.sin(2 * np.pi * phase)
    sway = 0.02 * np.sin(np.pi * phase)
    return Posture(
        left_arm=Limb(0.62 + sway, -0.12, -0.55, 0.35),
        right_arm=Limb(1.75 + 0.08 * np.sin(2 * np.pi * phase), 0.1, 2.9 + wave, 0.15),
        left_leg=Limb(0.1, 0.03, 0.06, -0.03),
        right_leg=Limb(0.07, 0.0, 0.05, -0.06),
    )


def arms_raised(phase: float) -> Posture:
    """Posture of someone who swings both arms up from the sides and down again, as in a jumping jack."""
    up = 0.5 - 0.5 * np.cos(2 * np.pi * phase)
    arm = 0.45 + 2.25 * up
    leg = 0.06 + 0.2 * up
    return Posture(
        left_arm=Limb(arm, 0.12, arm + 0.25, 0.22),
        right_arm=Limb(arm, 0.12, arm + 0.25, 0.22),
        left_leg=Limb(leg, 0.02, leg, -0.02),
        right_leg=Limb(leg, 0.02, leg, -0.02),
    )


def using_phone(phase: float) -> Posture:
    """Posture of someone who stands and looks at a telephone, shifting their weight a little."""
    sway = 0.08 * np.sin(2 * np.pi * phase)
    return Posture(
        left_arm=Limb(0.18, 0.25 + sway, -0.35, 1.75 + sway),
        right_arm=Limb(0.1, -0.05 + sway, 0.06, 0.15),
        left_leg=Limb(0.08 + sway, 0.02, 0.05, -0.02),
        right_leg=Limb(0.06 - sway, 0.06, 0.05, -0.08),
        lean=0.04,
        bow=0.25,
    )


def joints_of(posture: Posture) -> dict[str, np.ndarray]:
    """Joints (3,) in the body frame by name: COCO's without those of the head, and neck, pelvis, head, hands, heels and toes.

    The lower of the two feet stands on the floor.
    """
    joints: dict[str, np.ndarray] = {"pelvis": np.zeros(3)}
    spine = np.array([0.0, np.cos(posture.lean), np.sin(posture.lean)])
    joints["neck"] = TORSO * spine
    head = np.array([0.0, np.cos(posture.lean + posture.bow), np.sin(posture.lean + posture.bow)])
    joints["head"] = joints["neck"] + NECK_TO_HEAD * head + [0.0, 0.01, 0.008]
    for name, side in SIDES.items():
        shoulder = joints["neck"] + [side * SHOULDER_HALF_WIDTH, -0.012, 0.0]
        upper, lower = (posture.left_arm if side > 0 else posture.right_arm).directions(side)
        joints[f"{name}_shoulder"] = shoulder
        joints[f"{name}_elbow"] = shoulder + UPPER_ARM * upper
        joints[f"{name}_wrist"] = joints[f"{name}_elbow"] + FOREARM * lower
        joints[f"{name}_hand"] = joints[f"{name}_wrist"] + HAND * lower
        upper, lower = (posture.left_leg if side > 0 else posture.right_leg).directions(side)
        joints[f"{name}_hip"] = np.array([side * HIP_HALF_WIDTH, -0.01, 0.0])
        joints[f"{name}_knee"] = joints[f"{name}_hip"] + THIGH * upper
        joints[f"{name}_ankle"] = joints[f"{name}_knee"] + SHANK * lower
        forward = np.array([0.25 * side, 0.15 * lower[2] - 0.1, 1.0]) + [0.0, 0.9 * min(lower[2], 0.0), 0.0]
        forward /= np.linalg.norm(forward)
        joints[f"{name}_heel"] = joints[f"{name}_ankle"] + 0.03 * lower - 0.22 * FOOT * forward
        joints[f"{name}_toe"] = joints[f"{name}_ankle"] + 0.022 * lower + 0.72 * FOOT * forward
    lowest = min(joints["left_ankle"][1], joints["right_ankle"][1])
    return {name: xyz + [0.0, ANKLE_HEIGHT - lowest, 0.0] for name, xyz in joints.items()}


def _direction(out: float, swing: float, side: float) -> np.ndarray:
    return np.array([side * math.sin(out), -math.cos(out) * math.cos(swing), math.cos(out) * math.sin(swing)])
