"""Looks of the rendered people: skin, hair and clothes, varied by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ppdet.visualize.rendered_people.look import Look
from ppdet.visualize.rendered_people.shading import Material

SKINS = ((224, 178, 150), (198, 146, 114), (150, 102, 76), (104, 68, 50), (234, 192, 168))
HAIRS = ((48, 34, 26), (24, 20, 20), (30, 22, 18), (18, 16, 16), (142, 98, 52))
SHOES = ((235, 232, 226), (52, 44, 40), (150, 40, 40), (40, 44, 58), (120, 84, 56))


def looks(rng: np.random.Generator) -> list[Look]:
    """Five people who differ in skin, hair, build and clothes; `rng` varies shades and pairings."""
    skins = [Material(_shade(rng, SKINS[i], 6), wrinkles=0.0, gloss=0.03) for i in rng.permutation(5)]
    hairs = [Material(_shade(rng, HAIRS[i], 6), wrinkles=0.3) for i in rng.permutation(5)]
    shoes = [Material(_shade(rng, SHOES[i], 8), wrinkles=0.05, gloss=0.04) for i in rng.permutation(5)]

    def cloth(color: tuple[float, float, float], **changes: object) -> Material:
        return Material(_shade(rng, color, 10), **{"wrinkles": 0.12, **changes})  # type: ignore[arg-type]

    checked = cloth((158, 52, 48), pattern="checks", second=(40, 40, 52), period=0.05)
    striped = cloth((236, 232, 224), pattern="stripes", second=(46, 62, 110), period=0.045)
    tops = checked, striped, cloth((58, 108, 92)), cloth((236, 176, 60)), cloth((92, 128, 180))
    bottoms = [cloth(color) for color in ((52, 66, 98), (38, 38, 44), (120, 104, 80), (48, 52, 66), (84, 44, 70))]
    people = [Look(*materials) for materials in zip(skins, hairs, tops, bottoms, shoes)]
    return [
        replace(people[0], sleeves="long", beard=True, bag=cloth((58, 62, 54))),
        replace(people[1], long_hair=True, build=0.92),
        replace(people[2], sleeves="long"),
        replace(people[3], legwear="shorts", build=1.05),
        replace(people[4], legwear="skirt", long_hair=True, build=0.94),
    ]


def _shade(rng: np.random.Generator, color: tuple[float, ...], spread: float) -> tuple[float, float, float]:
    red, green, blue = np.clip(np.array(color) + rng.normal(0, spread, 3), 8, 245)
    return float(red), float(green), float(blue)
