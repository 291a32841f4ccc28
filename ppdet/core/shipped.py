"""What comes with the toolkit and where it is: configurations, bundled models; and where downloads are kept."""

from __future__ import annotations

import os
from pathlib import Path

from ppdet.core.errors import ConfigError
from ppdet.core.problem import did_you_mean

PACKAGE = Path(__file__).resolve().parents[1]
CONFIGS = "configs"


def configs_folder() -> Path:
    """The folder `configs` of the clone that is running, else the one inside the installed package.

    Raises:
        ConfigError: neither is there; the installation is damaged.
    """
    for folder in (PACKAGE.parent / CONFIGS, PACKAGE / CONFIGS):
        if (folder / "keypoint").is_dir():
            return folder
    raise ConfigError(f"the configurations that belong to ppdet are not in {PACKAGE / CONFIGS}: install the package again")


def find_config(text: str) -> str:
    """The path of a configuration as a user may give it.

    A file that is there is taken as it is. Otherwise `text` may be a path as in a clone (``configs/keypoint/...``), a path below
    `configs`, or just the name of a shipped configuration (``tinypose_128x96``).

    Returns:
        The path; `text` itself if nothing fits, so that reading it gives the error.

    Raises:
        ConfigError: several shipped configurations have that name.
    """
    path = Path(text)
    if path.is_file() or path.is_absolute():
        return text
    folder = configs_folder()
    below = Path(*path.parts[1:]) if path.parts[:1] == (CONFIGS,) else path
    if below.suffix and (folder / below).is_file():
        return str(folder / below)
    if len(path.parts) == 1:
        found = sorted(folder.rglob(text if path.suffix in (".yml", ".yaml") else f"{text}.yml"))
        if len(found) > 1:
            raise ConfigError(f"{text} may be {' or '.join(map(str, found))}: give the path")
        if found:
            return str(found[0])
    return text


def nearest_config(path: Path) -> str:
    """``"; did you mean 'x'?"`` with the shipped configuration whose name is closest, or an empty string."""
    try:
        folder = configs_folder()
    except ConfigError:  # `ppdet bundle` copies none
        return ""
    return did_you_mean(path.stem, (each.stem for each in folder.rglob("*.yml"))) if len(path.parts) == 1 else ""


def cache_root() -> Path:
    """Where downloads are kept: $PPDET_CACHE, else ~/.cache/ppdet."""
    root = os.environ.get("PPDET_CACHE")
    return Path(root) if root else Path.home() / ".cache" / "ppdet"


def bundled_models_folder() -> Path:
    """The folder of the models that come with the toolkit; it may be missing or empty."""
    return PACKAGE / "model_zoo" / "bundled"
