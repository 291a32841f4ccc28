"""`ppdet dataset check`: all checks on one or several files."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from ppdet.core.errors import ConfigError
from ppdet.core.files import atomic_write
from ppdet.core.logger import get_logger
from ppdet.core.quantity import quantity
from ppdet.data.checking.annotation_file import AnnotationFile, read_annotation_file
from ppdet.data.checking.entries import check_entries
from ppdet.data.checking.finding import ERROR, NOTE, WARNING, Finding
from ppdet.data.checking.fixing import fixed_content
from ppdet.data.checking.frames import check_frames
from ppdet.data.checking.images import SeenImage, check_images, check_leakage
from ppdet.data.checking.sides import check_sides

logger = get_logger(__name__)

_HIDDEN_BY_FRAME = (
    "labelled-at-origin", "point-outside-image", "point-outside-box", "duplicate-object", "area-placeholder",
    "area-larger-than-box", "box-outside-image",
)  # fmt: skip
"""Consequences of coordinates in another frame, which would only repeat that finding."""


@dataclass(frozen=True)
class Diagnosis:
    """Findings of all files, the most serious first, and the files themselves."""

    files: List[AnnotationFile]
    findings: List[Finding]

    def count(self, severity: str) -> int:
        """Number of findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def healthy(self) -> bool:
        """Whether there is nothing but notes."""
        return not self.count(ERROR) and not self.count(WARNING)


def check_files(paths: Sequence[Path], images: Sequence[Optional[Path]] = (), look_at_images: bool = True) -> Diagnosis:
    """Check annotation files, and each pair of them for leakage.

    Args:
        paths: COCO-style files; of several, the first is taken for the training file.
        images: folder of the images of each file, or one for all; None or () looks beside the file.
        look_at_images: decode all images; otherwise damage, wrong sizes and leakage are not found.

    Raises:
        DataError: a file cannot be read at all.
    """
    folders = list(images) * len(paths) if len(images) == 1 else list(images) or [None] * len(paths)
    if len(folders) != len(paths):
        raise ConfigError(f"{len(paths)} files and {len(folders)} folders of images: give one folder for all, or one per file")
    files = [read_annotation_file(path, folder) for path, folder in zip(paths, folders)]
    findings: List[Finding] = []
    seen: List[List[SeenImage]] = []
    for file in files:
        found = check_content(file)
        if look_at_images:
            of_images, pictures = check_images(file)
            found += of_images
            seen.append(pictures)
        findings += [replace(finding, file=str(file.path)) for finding in found]
    for i in range(len(seen)):
        for j in range(i + 1, len(seen)):
            pair = check_leakage(seen[i], seen[j], (files[i].path.name, files[j].path.name))
            findings += [replace(finding, file=str(files[j].path)) for finding in pair]
    return Diagnosis(files, sorted(findings, key=lambda each: each.rank))


def check_content(file: AnnotationFile) -> List[Finding]:
    """The findings that need no image."""
    frames = list(check_frames(file))
    entries = [finding for finding in check_entries(file) if not frames or finding.kind not in _HIDDEN_BY_FRAME]
    return [*frames, *entries, *([] if frames else check_sides(file))]


def report(diagnosis: Diagnosis) -> str:
    """The findings as text, by file."""
    lines: List[str] = []
    for file in diagnosis.files:
        own = [finding for finding in diagnosis.findings if finding.file == str(file.path)]
        lines.append(f"{file.path}: {quantity(len(file.image_by_id), 'image')}, {quantity(len(file.objects), 'object')}")
        for finding in own:
            lines += [f"  {line}" for line in finding.lines()]
        if not own:
            lines.append("  nothing found")
    counts = {name: diagnosis.count(name) for name in (ERROR, WARNING, NOTE)}
    lines.append(", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items()))
    return "\n".join(lines)


def write_report(diagnosis: Diagnosis, path: Path) -> None:
    """The findings as JSON."""
    content: Dict[str, Any] = {
        "files": [str(file.path) for file in diagnosis.files],
        "findings": [finding.to_dict() for finding in diagnosis.findings],
    }
    with atomic_write(path) as stream:
        json.dump(content, stream, indent=1)
    logger.info("findings written to %s", path)


def write_fixed(diagnosis: Diagnosis, output: Path) -> List[Path]:
    """Write repaired copies: one file to `output`; several into the folder `output`, under their names.

    Raises:
        ConfigError: a copy would overwrite a checked file, or two would have one name.
    """
    several = len(diagnosis.files) > 1
    places = [output / file.path.name if several else output for file in diagnosis.files]
    for place, file in zip(places, diagnosis.files):
        if place.resolve() in [each.path.resolve() for each in diagnosis.files]:
            raise ConfigError(f"--fix {output} would overwrite {file.path}; the repaired copy needs another name")
    if len(set(places)) < len(places):
        raise ConfigError("the files have the same name; repair them one by one")
    for place, file in zip(places, diagnosis.files):
        content, done = fixed_content(file, [each for each in diagnosis.findings if each.file == str(file.path)])
        with atomic_write(place) as stream:
            json.dump(content, stream)
        for line in done:
            logger.info("%s: %s", place, line)
        logger.info("%d kinds of repair; written to %s", len(done), place)
    return places
