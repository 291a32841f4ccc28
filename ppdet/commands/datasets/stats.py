"""Count what is in an annotation file: ppdet dataset stats train.json -o stats.html

Visibility of each keypoint, sizes of boxes, objects per image, whether all objects face one way, and OKS sigmas from objects that
were annotated twice (--repeats). Without -o only the text is printed. See docs/data.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    add = parser.add_argument
    add("annotations", help="COCO-style file")
    add("-o", "--output", metavar="FILE", help="page with plots to write (.html), or the numbers (.json)")
    add("--repeats", metavar="FILE", help="a second person's annotations of the same images, for the sigmas")


def run(args: argparse.Namespace) -> None:
    """Count and print."""
    import json

    from ppdet.annotations.coco_file import read_coco
    from ppdet.core.errors import ConfigError
    from ppdet.core.files import atomic_write
    from ppdet.core.logger import get_logger
    from ppdet.data.checking.annotation_file import read_annotation_file
    from ppdet.data.statistics.page import page, text
    from ppdet.data.statistics.statistics import statistics_of

    path = Path(args.annotations)
    output = None if args.output is None else Path(args.output)
    if output is not None and output.suffix.lower() not in (".html", ".json"):
        raise ConfigError(f"--output {output}: give a name that ends in .html or .json")
    file = read_annotation_file(path)
    found = statistics_of(file, read_coco(args.repeats)["annotations"] if args.repeats else ())
    assert file.skeleton is not None, "statistics_of has checked it"
    print(text(found, file.skeleton))
    if output is None:
        return
    if output.suffix.lower() == ".html":
        page(found, file.skeleton, f"Statistics of {path.name}").write(output)
    else:
        with atomic_write(output) as stream:
            json.dump(found.to_dict(file.skeleton), stream, indent=1)
    get_logger(__name__).info("written to %s", output)
