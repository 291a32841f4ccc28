"""Every option of docs/recipes.md fits the config it is listed with, and changes it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

pytest.importorskip("paddle")

from ppdet.core.config.load import load_config  # noqa: E402
from ppdet.engine.components import import_components  # noqa: E402
from ppdet.engine.configs.check import check_config  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
KEYPOINT = ROOT / "configs" / "keypoint"
TEXT = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")


def rows() -> list[tuple[str, list[str]]]:
    """(config, options) of each row of the first table."""
    found = []
    for line in TEXT.split("## Transforms")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 3 and cells[2].startswith("`"):
            words = [word for code in re.findall(r"`([^`]+)`", cells[1]) for word in shlex.split(code)]
            found.append((cells[2].strip("`"), [word for word in words if re.match(r"[\w.]+=", word)]))
    return found


def test_the_table_is_read() -> None:
    assert len(rows()) >= 20 and all(options for _, options in rows())


@pytest.mark.parametrize(("name", "options"), rows(), ids=[" ".join(options)[:40] for _, options in rows()])
def test_an_option_fits_its_config_and_changes_it(name: str, options: list[str]) -> None:
    path = KEYPOINT / f"{name}.yml"
    config = load_config(path, options)
    assert [str(problem) for problem in check_config(config, import_components())] == []
    for count, option in enumerate(options):
        same = load_config(path, options[: count + 1]) == load_config(path, options[:count])
        assert not same or option == "OptimizerBuilder.optimizer.layer_decay=0.75"  # ViTPose's own value, as an example


def test_the_file_of_transforms_makes_a_batch(tmp_path: Path) -> None:
    import numpy as np

    from ppdet.core.config.builder import Builder
    from ppdet.data.samples.person import PersonSample
    from ppdet.engine.assembly import Assembly

    block = next(block for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.S))
    path = tmp_path / "mine.yml"
    path.write_text(block.replace("../simple_pose", str(KEYPOINT / "simple_pose")))
    assembly = Assembly(load_config(path))
    shared = {"codec": assembly.codec, "skeleton": assembly.skeleton}
    transforms = Builder(assembly.config, shared=shared).build_list(assembly.config["TrainReader"]["sample_transforms"])
    assert [type(each).__name__ for each in transforms][4:6] == ["TopDownRandomPerspective", "ColorJitter"]
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (160, 120, 3), np.uint8)
    sample = PersonSample("a.jpg", 1, 0, np.array([60.0, 80]), np.array([90.0, 120]), rng.uniform(30, 90, (17, 2)), np.ones(17),
                          box_xyxy=np.array([30.0, 40, 90, 120]), image=image)  # fmt: skip
    for transform in transforms:
        sample = transform(sample, rng)
    assert sample.target.shape == (17, 64, 48) and sample.target_weight.max() == 1.5
