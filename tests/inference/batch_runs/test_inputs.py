"""Which files a batch takes, and how their results are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppdet.core.errors import ConfigError, MediaError
from ppdet.inference.batch_runs.inputs import find_inputs


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(*sources: object, **options: object) -> list[str]:
    return [each.name for each in find_inputs([str(each) for each in sources], **options).files]


def test_a_folder_with_all_below(tmp_path: Path) -> None:
    touch(tmp_path / "b" / "x.MP4", *(tmp_path / name for name in ("a.avi", "a.mp4", "p.jpg", "t.txt", "none")),
          tmp_path / "._a.mp4", tmp_path / ".git" / "z.mp4", tmp_path / "out" / "y.mp4")  # fmt: skip
    found = find_inputs([str(tmp_path)], exclude=tmp_path / "out")
    assert [each.name for each in found.files] == ["a.avi", "a.mp4", "b/x.MP4"]
    assert found.skipped == {".jpg": 1, ".txt": 1, "without suffix": 1, ".mp4": 1}
    assert names(tmp_path, media="images") == ["p.jpg"]
    assert names(tmp_path, media="all", exclude=tmp_path / "out") == ["a.avi", "a.mp4", "b/x.MP4", "p.jpg"]


def test_a_pattern_a_list_and_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(*(tmp_path / "in" / each for each in ("1/a.mp4", "2/a.mp4", "2/b.txt", "c.dat")), tmp_path / "far" / "d.mp4")
    assert names(tmp_path / "in" / "**" / "*.mp4") == ["1/a.mp4", "2/a.mp4"]
    assert names(tmp_path / "in" / "2" / "*") == ["a.mp4"]
    (tmp_path / "in" / "list.txt").write_text(f"# mine\n1/a.mp4\n\nc.dat\n../far/d.mp4\n{tmp_path}/in/2/a.mp4\n1/a.mp4\n")
    outside = str(tmp_path / "far" / "d.mp4").lstrip("/")
    assert names(tmp_path / "in" / "list.txt") == sorted(["1/a.mp4", "2/a.mp4", "c.dat", outside])
    assert names(tmp_path / "in" / "c.dat", tmp_path / "in" / "1") == ["a.mp4", "c.dat"]
    monkeypatch.chdir(tmp_path)
    assert names("in/*/*.mp4") == ["1/a.mp4", "2/a.mp4"] and names("in/list.txt")[0] == "1/a.mp4"


def test_what_a_user_takes_for_media_counts_whether_it_can_be_read_or_not(tmp_path: Path) -> None:
    photos, films = ("a.HEIC", "b.avif", "c.nef"), ("d.m2ts", "e.braw", "f.VOB", "ff.mjpeg")
    others = ("g.m3u8", "h.pdf", "i.json", "j.wav", "k.zip")
    touch(*(tmp_path / name for name in (*photos, *films, *others, "l.gif")))
    assert names(tmp_path, media="images") == [*photos, "l.gif"]
    assert names(tmp_path) == [*films, "l.gif"]
    assert names(tmp_path, media="all") == [*photos, *films, "l.gif"]
    assert find_inputs([str(tmp_path)], media="all").skipped == {".m3u8": 1, ".pdf": 1, ".json": 1, ".wav": 1, ".zip": 1}


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="there is no file or folder .*nowhere: give a folder, a list"):
        names(tmp_path / "nowhere")
    touch(tmp_path / "in" / "a.txt", tmp_path / "in" / "b.pdf")
    with pytest.raises(ConfigError, match="there are no videos in .*only other files"):
        names(tmp_path / "in")
    with pytest.raises(ConfigError, match="there are no videos in"):
        names(tmp_path / "*.mp4")
    touch(tmp_path / "x" / "a.mp4", tmp_path / "y" / "a.mp4")
    with pytest.raises(ConfigError, match="would have the same result a.mp4: run them into two"):
        names(tmp_path / "x", tmp_path / "y")
    (tmp_path / "web.txt").write_text("a.mp4\nhttps://host/b.mp4\n")
    with pytest.raises(MediaError, match="web.txt, line 2 is a URL"):
        names(tmp_path / "web.txt")
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(MediaError, match="cannot read the list"):
        names(tmp_path / "bad.txt")
