"""Regular files only, whole folders or none, and what killed processes leave."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

import pytest

from ppdet.core import files
from ppdet.core.errors import ConfigError
from ppdet.core.files import (
    TEMPORARY_NAME,
    atomic_folder,
    read_regular_file,
    remove_temporaries,
    require_folder,
    sha256_of,
    temporary_beside,
)


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    final = tmp_path / "new" / "model"
    with atomic_folder(final) as folder:
        (folder / "a").write_text("1")
        assert not final.exists() and folder.parent == final.parent
    assert contents(final) == {"a": "1"}
    with atomic_folder(final) as folder:
        (folder / "b").write_text("2")
        assert contents(final) == {"a": "1"}
    assert contents(final) == {"b": "2"} and os.listdir(final.parent) == ["model"]


def test_a_folder_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    final = tmp_path / "model"
    with atomic_folder(final) as folder:
        (folder / "a").write_text("1")
    with pytest.raises(RuntimeError), atomic_folder(final) as folder:
        (folder / "a").write_text("half")
        raise RuntimeError
    assert contents(final) == {"a": "1"} and os.listdir(tmp_path) == ["model"]


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    own, other = temporary_beside(tmp_path / "a.json"), tmp_path / "below" / ".b.77-0123abcd.tmp.json"
    folder = tmp_path / ".model.77-0123abce.tmp"
    (folder / "inside").mkdir(parents=True)
    other.parent.mkdir()
    kept = [tmp_path / name for name in (".mine.tmp", ".c.77-0123abc.tmp.json", "a.77-0123abcd.tmp", ".d.x-0123abcd.tmp")]
    for path in (own, other, *kept):
        path.touch()
    assert TEMPORARY_NAME.fullmatch(own.name) and own.suffix == ".json" and not own.name.startswith("a")
    assert remove_temporaries(tmp_path, process=78) == [] and own.exists() and other.exists()
    assert remove_temporaries(tmp_path, process=77, deep=False) == [folder] and not folder.exists() and other.exists()
    assert set(remove_temporaries(tmp_path)) == {own, other}
    assert sorted(path for path in tmp_path.iterdir() if path.is_file()) == sorted(kept)


def test_digest_of_more_than_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "DIGEST_BLOCK", 7)
    data = bytes(range(100))
    (tmp_path / "a").write_bytes(data)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(data).hexdigest()


def test_only_regular_files_of_a_bounded_size_are_read(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"12345")
    assert read_regular_file(file, 5) == b"12345"
    with pytest.raises(OSError, match="it has 5 bytes, more than the 4 that are read"):
        read_regular_file(file, 4)
    with pytest.raises(OSError, match="it is a folder, not a regular file"):
        read_regular_file(tmp_path, 5)
    with pytest.raises(FileNotFoundError):
        read_regular_file(tmp_path / "nowhere", 5)
    with pytest.raises(OSError, match="no file can have this name"):
        read_regular_file("a\0b", 5)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_special_files_are_named_and_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is a named pipe"):
        read_regular_file(tmp_path / "pipe", 5)
    with pytest.raises(OSError, match="it is a device file"):
        read_regular_file("/dev/zero", 5)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        with pytest.raises(OSError, match="it is a socket"):
            read_regular_file(tmp_path / "socket", 5)


def test_a_file_that_becomes_a_pipe_between_the_two_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    before = os.stat
    monkeypatch.setattr(files.os, "stat", lambda path: before(tmp_path / "file"))
    with pytest.raises(OSError, match="it is a named pipe"):
        read_regular_file(tmp_path / "pipe", 5)


def test_a_folder_that_cannot_be_written_is_found_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(ConfigError, match=f"save_dir: {tmp_path} is not writable; choose another folder"):
        require_folder(tmp_path / "run", "save_dir")
