"""JSON of users: the content, or a message that names the file."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

import pytest

from ppdet.core.errors import DataError
from ppdet.core.json_file import read_json


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.json").write_text('{"näme": [1, 2.5, null]}', encoding=encoding)
    assert read_json(tmp_path / "a.json") == {"näme": [1, 2.5, None]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not valid JSON: .*cut short"),
        (b'{"images": [1, 2', "is not valid JSON"),
        (b'{"a": "\xff\xfe"}', "is not valid JSON"),
        (codecs.BOM_UTF16_LE + b"x", "is not valid JSON"),
        (b"[" * 200_000, "is nested too deeply"),
        (b"[" + b"9" * 5000 + b"]", "is not valid JSON"),
    ],
)
def test_what_is_no_json(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(content)
    if b"999" in content and not hasattr(__import__("sys"), "set_int_max_str_digits"):
        pytest.skip("this Python converts any number of digits")
    with pytest.raises(DataError, match=f"annotation file {file} {words}"):
        read_json(file, "annotation file")


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read JSON file .*nowhere: No such file or directory; check --labels"):
        read_json(tmp_path / "nowhere", remedy="check --labels")
    with pytest.raises(DataError, match="it is no regular file; check the path"):
        read_json(tmp_path)
    with pytest.raises(DataError, match="null"):
        read_json("a\0b")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(DataError, match="it is no regular file"):  # and does not wait for a writer
            read_json(tmp_path / "pipe")
