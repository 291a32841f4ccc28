"""Data of the model zoo: configs, published and measured figures, and URLs of weights.

Reads `ppdet/model_zoo/zoo.yml` (kept by hand) and `measured.yml` (written by `tools/model_zoo.py --measure`). Does not import
Paddle, so that weights can be downloaded anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

import yaml

from ppdet.core.errors import ConfigError
from ppdet.core.shipped import configs_folder

ROOT = configs_folder().parent
"""Root of config paths: the repository, or the installed package."""
FOLDER = Path(__file__).resolve().parents[2] / "model_zoo"
ZOO_FILE, MEASURED_FILE = FOLDER / "zoo.yml", FOLDER / "measured.yml"
SCORE_KINDS = ("AP", "PCKh", "box", "MOTA")
BOXES = ("annotated", "detector", "filtered", "none")


@dataclass(frozen=True)
class ZooModel:
    """One config of the zoo.

    Attributes:
        name: stem of the config file.
        config: path relative to the root of the repository.
        group: title of its group.
        scores: published figures, as in zoo.yml.
        weights: URL of PaddleDetection's weights, or None.
        sha256: digest of that file, if known.
    """

    name: str
    config: str
    group: str
    scores: Tuple[Mapping[str, Any], ...] = ()
    weights: Optional[str] = None
    sha256: Optional[str] = None


@dataclass(frozen=True)
class Download:
    """A file that can be downloaded by name."""

    name: str
    url: str
    what: str
    sha256: Optional[str] = None


@dataclass
class Zoo:
    """Everything in zoo.yml and measured.yml.

    Attributes:
        models: in the order of the file.
        texts: introduction of each group's table.
        downloads: by name; models with weights, and other files.
        costs: name -> {parameters, macs}, as measured.
        measured: the section of that name in zoo.yml.
    """

    models: List[ZooModel] = field(default_factory=list)
    texts: Dict[str, str] = field(default_factory=dict)
    downloads: Dict[str, Download] = field(default_factory=dict)
    costs: Dict[str, Dict[str, int]] = field(default_factory=dict)
    measured: Dict[str, Any] = field(default_factory=dict)

    def download(self, name: str) -> Download:
        """Find the file called `name`.

        Raises:
            ConfigError: there is no file of that name; the message tells models without published weights apart.
        """
        if name in self.downloads:
            return self.downloads[name]
        if any(model.name == name for model in self.models):
            raise ConfigError(f"no weights of {name} are published; train it, or convert the authors' (`ppdet convert-weights`)")
        near = get_close_matches(name, self.downloads, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ConfigError(f"{name!r} is not in the model zoo; {hint}`ppdet zoo list` names all")


def load_zoo(zoo_file: Path = ZOO_FILE, measured_file: Path = MEASURED_FILE) -> Zoo:
    """Read and check both files; measured.yml may be missing.

    Raises:
        ConfigError: a file is damaged, or an entry is wrong.
    """
    content = _read(zoo_file)
    zoo = Zoo(measured=dict(content.get("measured") or {}))
    for group in content.get("groups") or ():
        zoo.texts[group["title"]] = group["text"]
        for path, entry in group["models"].items():
            model = _model(zoo_file, group, path, entry or {})
            if any(other.name == model.name for other in zoo.models):
                raise ConfigError(f"{zoo_file}: two models are called {model.name}")
            zoo.models.append(model)
            if model.weights:
                zoo.downloads[model.name] = Download(model.name, model.weights, f"weights of {model.config}", model.sha256)
    for name, entry in (content.get("downloads") or {}).items():
        zoo.downloads[name] = Download(name, entry["url"], entry["what"], entry.get("sha256"))
    if measured_file.is_file():
        zoo.costs = dict(_read(measured_file).get("models") or {})
    return zoo


def checksum_of(url: str) -> Optional[str]:
    """sha256 of the file at a URL, if it is in the zoo."""
    return next((known.sha256 for known in load_zoo().downloads.values() if known.url == url), None)


def configs_on_disk(root: Path = ROOT) -> List[str]:
    """Leaf configs of the repository, as paths relative to its root."""
    folders = [root / "configs" / name for name in ("keypoint", "picodet", "ppyolo", "mot")]
    return sorted(file.relative_to(root).as_posix() for folder in folders for file in folder.rglob("*.yml"))


def _read(path: Path) -> Dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read the model zoo {path}: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a mapping")
    return content


def _model(zoo_file: Path, group: Mapping[str, Any], path: str, entry: Mapping[str, Any]) -> ZooModel:
    unknown = set(entry) - {"scores", "weights", "sha256"}
    if unknown:
        raise ConfigError(f"{zoo_file}: {path}: unknown key {', '.join(sorted(unknown))}; known: scores, weights, sha256")
    for score in entry.get("scores") or ():
        if sum(kind in score for kind in SCORE_KINDS) != 1 or "by" not in score:
            raise ConfigError(f"{zoo_file}: {path}: a score is one of {', '.join(SCORE_KINDS)}, and by whom; given {score}")
        if "AP" in score and score.get("boxes") not in BOXES:
            raise ConfigError(f"{zoo_file}: {path}: an AP needs boxes: one of {', '.join(BOXES)}; given {score}")
    scores = tuple(entry.get("scores") or ())
    config = f"{group['folder']}/{path}.yml"
    return ZooModel(Path(path).name, config, group["title"], scores, entry.get("weights"), entry.get("sha256"))
