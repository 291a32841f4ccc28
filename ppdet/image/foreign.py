"""Names of image formats that are not read here, so that a message can say what a file is."""

from __future__ import annotations

#: Suffixes of files that people keep among their images; a folder of images is not silently read without them.
FOREIGN_SUFFIXES = (".heic", ".heif", ".avif", ".gif", ".jxl", ".psd", ".svg", ".raw", ".dng", ".cr2", ".nef",
                    ".arw", ".exr", ".hdr", ".nii", ".czi", ".tga")  # fmt: skip
_ISO_BRANDS = {b"heic": "HEIC", b"heix": "HEIC", b"hevc": "HEIC", b"mif1": "HEIF", b"msf1": "HEIF", b"avif": "AVIF",
               b"avis": "AVIF"}  # fmt: skip
_SIGNATURES = (
    (0, b"GIF8", "GIF"),
    (0, b"8BPS", "Photoshop"),
    (0, b"%PDF", "PDF"),
    (0, b"\xff\x0a", "JPEG XL"),
    (4, b"JXL ", "JPEG XL"),
    (0, b"v/1\x01", "OpenEXR"),
    (0, b"#?RADIANCE", "Radiance HDR"),
    (0, b"#?RGBE", "Radiance HDR"),
    (0, b"PK\x03\x04", "ZIP"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"Rar!", "RAR"),
    (0, b"\x1aE\xdf\xa3", "Matroska or WebM video"),
    (4, b"ftypqt", "QuickTime video"),
    (4, b"ftyp", "MP4 video"),
)
_ADVICE = {
    "GIF": "take its frames out, for example with `ffmpeg -i FILE frame_%04d.png`",
    "ZIP": "unpack it",
    "gzip": "unpack it",
    "RAR": "unpack it",
}


def foreign_format(data: bytes) -> str:
    """The name of a known format that is not read here, from a file's first bytes; empty if it is none of these."""
    if data[4:8] == b"ftyp" and data[8:12] in _ISO_BRANDS:
        return _ISO_BRANDS[data[8:12]]
    found = next((name for at, signature, name in _SIGNATURES if data[at : at + len(signature)] == signature), "")
    if not found and data[:256].lstrip()[:5].lower() in (b"<html", b"<!doc", b"<?xml", b"<svg "):
        return "HTML or XML"
    return found


def advice(name: str) -> str:
    """What to do with a file of that format."""
    if "video" in name:
        return "give it as a video"
    return _ADVICE.get(name, "convert it to JPEG or PNG")
