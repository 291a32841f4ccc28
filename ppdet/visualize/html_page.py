"""A self-contained HTML page: text, tables and embedded pictures, without scripts from elsewhere."""

from __future__ import annotations

import base64
import html
import warnings
from pathlib import Path
from typing import Any, List, Sequence, Tuple, Union

import cv2
import numpy as np

from ppdet.core.errors import DataError
from ppdet.core.files import atomic_write

_EAST_ASIAN_FONTS = ("Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC",
                     "Hiragino Sans", "Yu Gothic", "Malgun Gothic", "Arial Unicode MS")  # fmt: skip
JPEG_QUALITY = 85
_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.2rem; border-bottom: 1px solid #8886; }
table { border-collapse: collapse; margin: .6rem 0; }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #8884; }
th:first-child, td:first-child, th.text { text-align: left; }
td.text { text-align: left; }
figure { margin: 0; } figcaption { font-size: .82rem; opacity: .85; overflow-wrap: anywhere; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(21rem, 1fr)); gap: 1rem; }
.gallery.wide { grid-template-columns: 1fr; } .gallery.wide img { width: auto; }
.gallery img { width: 100%; height: auto; } img { max-width: 100%; }
p.note { border-left: 3px solid #c80; padding-left: .7rem; }
nav a { margin-right: 1rem; }
"""


class HtmlPage:
    """Collects sections and writes them as one file. All text is escaped.

    Args:
        title: heading and title of the page.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self._sections: List[str] = []
        self._body: List[str] = []

    def section(self, title: str) -> None:
        """Begin a section; the sections are listed at the top."""
        self._body.append(f'<h2 id="s{len(self._sections)}">{html.escape(title)}</h2>')
        self._sections.append(title)

    def text(self, text: str, note: bool = False) -> None:
        """A paragraph; notes stand out."""
        self._body.append(f"<p{' class=note' if note else ''}>{html.escape(text)}</p>")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """A table; strings that are no numbers are aligned left."""
        words = [bool(rows) and isinstance(cell, str) for cell in (rows[0] if rows else header)]
        head = "".join(f"<th{' class=text' if left else ''}>{html.escape(str(cell))}</th>" for cell, left in zip(header, words))
        body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
        self._body.append(f"<table><tr>{head}</tr>{body}</table>")

    def figure(self, data: bytes, caption: str = "", kind: str = "png") -> None:
        """An encoded picture with a caption."""
        self._body.append(_figure(data, caption, kind))

    def gallery(self, pictures: Sequence[Tuple[np.ndarray, str]], wide: bool = False) -> None:
        """(H, W, 3) RGB uint8 pictures with captions, several in a row, or one if they are wide."""
        tiles = "".join(_figure(jpeg_bytes(image), caption, "jpeg") for image, caption in pictures)
        name = "gallery wide" if wide else "gallery"
        self._body.append(f'<div class="{name}">{tiles}</div>')

    def write(self, path: Union[str, Path]) -> Path:
        """Write the page, whole or not at all."""
        links = " ".join(f'<a href="#s{number}">{html.escape(title)}</a>' for number, title in enumerate(self._sections))
        title = html.escape(self.title)
        with atomic_write(path) as file:
            file.write(
                f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
                f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
                f"<body><h1>{title}</h1><nav>{links}</nav>{''.join(self._body)}</body></html>\n"
            )
        return Path(path)


def jpeg_bytes(rgb: np.ndarray) -> bytes:
    """An (H, W, 3) RGB uint8 image as JPEG.

    Raises:
        DataError: it cannot be encoded.
    """
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise DataError(f"an image of shape {rgb.shape} cannot be written as JPEG")
    return bytes(data)


def plot_bytes(figure: Any) -> bytes:
    """A matplotlib figure as PNG, without its global state."""
    import io

    from matplotlib.backends.backend_agg import FigureCanvasAgg

    stream = io.BytesIO()
    _add_fonts(figure)
    with warnings.catch_warnings():
        # names of keypoints in a script that no installed font has: the tables beside the plot have them
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        FigureCanvasAgg(figure).print_png(stream)
    return stream.getvalue()


def _add_fonts(figure: Any) -> None:
    """Let text fall back on installed fonts with Chinese, Japanese and Korean characters."""
    from matplotlib.font_manager import fontManager
    from matplotlib.text import Text

    installed = {font.name for font in fontManager.ttflist}
    further = [name for name in _EAST_ASIAN_FONTS if name in installed]
    for text in figure.findobj(Text) if further else ():
        text.set_fontfamily([*text.get_fontfamily(), *further])


def _cell(value: Any) -> str:
    if isinstance(value, (float, np.floating)):
        return f"<td>{value:.3f}</td>" if np.isfinite(value) else "<td>-</td>"
    kind = "" if isinstance(value, (int, np.integer)) else ' class="text"'
    return f"<td{kind}>{html.escape(str(value))}</td>"


def _figure(data: bytes, caption: str, kind: str) -> str:
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    words = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
    return f'<figure><img src="{source}" alt="{html.escape(caption[:80], quote=True)}" loading="lazy">{words}</figure>'
