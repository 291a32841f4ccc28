"""What a rendered person looks like, and where they stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ppdet.visualize.rendered_people.shading import Material


@dataclass(frozen=True)
class Look:
    """What a person wears and looks like.

    Attributes:
        skin, hair: materials.
        top, bottom, shoes: materials of the clothes.
        sleeves: "short" or "long".
        legwear: "trousers", "shorts" or "skirt".
        long_hair: hair down to the shoulders.
        beard: hair on the chin as well.
        build: factor on all widths.
        bag: material of a rucksack, or None.
    """

    skin: Material
    hair: Material
    top: Material
    bottom: Material
    shoes: Material
    sleeves: str = "short"
    legwear: str = "trousers"
    long_hair: bool = False
    beard: bool = False
    build: float = 1.0
    bag: Material | None = None


@dataclass(frozen=True)
class Place:
    """Where a person stands and which way they face.

    Attributes:
        foot_xy: the point on the floor below the pelvis, image pixels.
        height: of the person, pixels.
        yaw: 0 faces the camera, pi / 2 walks to the right of the image, pi shows the back.
    """

    foot_xy: tuple[float, float]
    height: float
    yaw: float

    def project(self, xyz: np.ndarray) -> np.ndarray:
        """(..., 3) in the body frame to x, y in image pixels and depth towards the viewer in body units."""
        xyz = np.asarray(xyz, np.float64)
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        x = xyz[..., 0] * cos + xyz[..., 2] * sin
        depth = xyz[..., 2] * cos - xyz[..., 0] * sin
        y = xyz[..., 1] - 0.1 * depth  # the camera looks down a little: what is nearer is lower
        return np.stack([self.foot_xy[0] + self.height * x, self.foot_xy[1] - self.height * y, depth], axis=-1)
