"""Write the images that labelme embeds in its JSON files beside them: ppdet dataset extract-images FOLDER

For JSON files that came without their images. Images that exist are left alone. See docs/data.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.add_argument("folder", help="folder of labelme's JSON files, including sub-folders")


def run(args: argparse.Namespace) -> None:
    """Write the images."""
    from ppdet.data.convert.embedded_images import extract_images

    extract_images(Path(args.folder))
