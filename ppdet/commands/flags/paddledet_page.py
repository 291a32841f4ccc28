"""docs/from_paddledetection.md, from the tables of flags.

    python -m ppdet.commands.flags.paddledet_page > docs/from_paddledetection.md
"""

from __future__ import annotations

from typing import Any, Sequence

from ppdet.commands.flags.foreign import NO_EFFECT, REFUSED, SAME, PaddleDetFlag
from ppdet.commands.flags.paddledet_deploy import DETECTOR, KEYPOINT, MOT_UNITE, UNITE
from ppdet.commands.flags.paddledet_tools import EVAL, EXPORT, INFER, TRAIN

SCRIPTS: dict[str, tuple[str, Sequence[PaddleDetFlag]]] = {
    "tools/train.py": ("ppdet.commands.training.train", TRAIN),
    "tools/eval.py": ("ppdet.commands.training.eval", EVAL),
    "tools/infer.py": ("ppdet.commands.training.infer", INFER),
    "tools/export_model.py": ("ppdet.commands.models.export", EXPORT),
    "deploy/python/infer.py": ("ppdet.commands.deployed.detector", DETECTOR),
    "deploy/python/keypoint_infer.py": ("ppdet.commands.deployed.keypoint", KEYPOINT),
    "deploy/python/det_keypoint_unite_infer.py": ("ppdet.commands.deployed.unite", UNITE),
    "deploy/python/mot_keypoint_unite_infer.py": ("ppdet.commands.deployed.mot_unite", MOT_UNITE),
}
"""Script -> module of its command, PaddleDetection's flags for it."""

OTHER_SCRIPTS = {
    "tools/post_quant.py": "`ppdet export --targets onnx --precision int8`, calibrated on images (docs/export.md)",
    "tools/infer_mot.py, tools/eval_mot.py": "tools/eval.py and tools/infer.py --video_file, for FairMOT (docs/tracking.md)",
    "deploy/pipeline/pipeline.py": "no action recognition here",
}
"""Scripts of PaddleDetection without a counterpart, and what to use instead."""

HEAD = """# From PaddleDetection

Configurations, `.pdparams` and exported folders of PaddleDetection's keypoint module are read as they are (docs/config.md,
docs/training.md, docs/deploy.md), and so are its command lines. Below is every flag of PaddleDetection 2.4 to 2.6, with its
default there, and what becomes of it here:

- **same**: it does here what it does there;
- **no effect**: it is accepted, and one log line says why it does nothing;
- **refused**: status 2, with the reason and what to do instead.

A default value is always accepted silently. Truth values may be written true, false, yes, no, on, off, 1, 0, in any letter case;
a switch may stand alone.

This page is written by `python -m ppdet.commands.flags.paddledet_page > docs/from_paddledetection.md`; do not edit it.
"""


def page() -> str:
    """The page in Markdown."""
    parts = [HEAD]
    for script, (_, flags) in SCRIPTS.items():
        counts = ", ".join(f"{sum(flag.effect == kind for flag in flags)} {kind}" for kind in (SAME, NO_EFFECT, REFUSED))
        rows = [f"| `{flag.name}` | {_default(flag.default)} | {flag.effect} | {flag.text} |" for flag in flags]
        table = ["| flag | default | here | |", "|---|---|---|---|", *rows]
        parts.append("\n".join([f"## {script}", "", f"{counts}.", "", *table, ""]))
    rows = [f"| {script} | {text} |" for script, text in OTHER_SCRIPTS.items()]
    parts.append("\n".join(["## Scripts that are not here", "", "| script | instead |", "|---|---|", *rows, ""]))
    return "\n".join(parts)


def _default(value: Any) -> str:
    if value is None:
        return "-"
    return f"`{' '.join(map(str, value)) if isinstance(value, list) else value}`"


if __name__ == "__main__":
    print(page(), end="")
