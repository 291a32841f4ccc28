"""Layouts of LiteHRNet's three variants. The authors use mmpose's names; ours differ in one word."""

from __future__ import annotations

from typing import List, Mapping

from ppdet.engine.converters.key_rule import KeyRule
from ppdet.engine.converters.layout import Layout, Network, Shape


def _describe(shapes: Mapping[str, Shape], home: str) -> Network:
    keypoints = int(shapes["final_layer.weight"][0])
    channels = int(shapes["transition0.0.2.weight"][0])
    if not any("cross_resolution_weighting" in key for key in shapes):
        kind = "wider_naive" if channels == 40 else "naive"
        naive = (f"{kind}_hrnet_18_256x192_coco",) if keypoints == 17 else ()
        return Network(f"LiteHRNet {kind}, {keypoints} keypoints", keypoints, naive)
    modules = len({key.split(".")[1] for key in shapes if key.startswith("stage0.")})
    depth = {2: 18, 3: 30}.get(modules, 0)
    configs = (f"lite_hrnet_{depth}_256x192_coco", f"lite_hrnet_{depth}_384x288_coco") if keypoints == 17 else ()
    return Network(f"LiteHRNet-{depth or '?'}, {keypoints} keypoints", keypoints, configs)


def _rules(layers: str) -> List[KeyRule]:
    """Rules for layers: convolutions keep their names, norms are called ``norm`` here, other layers are numbered."""
    return [
        KeyRule(f"{layers}.bn", f"backbone.{layers}.norm"),
        KeyRule(layers, f"backbone.{layers}"),
    ]


LAYOUTS = (
    Layout(
        "lite_hrnet", "LiteHRNet 18, 30, naive and wider naive (authors, mmpose)",
        (
            *(rule for part in ("stem.*", "stage{s}.*", "transition{t}.*", "head_layer.*") for rule in _rules(part)),
            KeyRule("final_layer", "final_conv"),
        ),
        has=("stem.*", "head_layer.*", "final_layer.weight"), lacks=(),
        describe=_describe, home="lite_hrnet", mmpose_home="lite_hrnet",
    ),
)  # fmt: skip
