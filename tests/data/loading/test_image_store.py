"""Decoding once, and telling what cannot be used."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import ppdet.data.loading.image_store as module
import ppdet.data.loading.image_store as reader_module
from ppdet.core.errors import ConfigError, DataError, MediaError
from ppdet.data.loading.image_store import LAST_IMAGES_KEPT, ImageStore
from ppdet.data.loading.memory import available_bytes


@pytest.fixture
def paths(tmp_path):
    files = []
    for i in range(8):
        files.append(str(tmp_path / f"{i}.png"))
        cv2.imwrite(files[-1], np.full((20, 30, 3), i, np.uint8))
    return files


@pytest.fixture
def reads(monkeypatch):
    """Counts how often a file is decoded."""
    counts = {}
    original = reader_module.read_stored_image

    def counting(path, image_range):
        counts[path] = counts.get(path, 0) + 1
        return original(path, image_range)

    monkeypatch.setattr(reader_module, "read_stored_image", counting)
    return counts


def sizes(n, wh=(30, 20)):
    return np.tile(wh, (n, 1))


def test_preloaded_images_are_decoded_once(paths, reads):
    store = ImageStore(paths, sizes(8))
    assert store.preload([0, 2, 4]) and store.num_cached == 3
    for _ in range(3):
        assert store.get(2)[0, 0, 0] == 2
    assert reads == {paths[0]: 1, paths[2]: 1, paths[4]: 1}
    assert not store.get(2).flags.writeable


def test_neighbours_share_one_decoding(paths, reads):
    store = ImageStore(paths, sizes(8), cache=False)
    assert not store.preload(range(8))
    for row in (0, 0, 0, 1, 1, 0):
        store.get(row)
    assert reads == {paths[0]: 1, paths[1]: 1}
    for row in range(8):
        store.get(row)
    before = dict(reads)
    for row in range(8 - LAST_IMAGES_KEPT, 8):
        store.get(row)
    assert reads == before
    store.get(0)
    assert reads[paths[0]] == before[paths[0]] + 1


@pytest.mark.parametrize("known", [True, False])
def test_auto_respects_the_budget(paths, monkeypatch, known):
    need = 8 * 20 * 30 * 3
    wh = sizes(8) if known else sizes(8, (0, 0))
    monkeypatch.setattr(module, "available_bytes", lambda: 4 * need - 1)
    assert not ImageStore(paths, wh).preload(range(8))
    assert ImageStore(paths, wh, cache=True).preload(range(8))
    monkeypatch.setattr(module, "available_bytes", lambda: 4 * need)
    assert ImageStore(paths, wh).preload(range(8))
    assert not ImageStore(paths, wh).preload(range(8), share=0.5)


def test_unreadable_images_wait_for_their_turn(paths, tmp_path):
    (tmp_path / "0.png").write_bytes(b"no image")
    store = ImageStore(paths, sizes(8))
    store.preload(range(8))
    assert store.num_cached == 7
    with pytest.raises(MediaError, match="0.png"):
        store.get(0)


def test_an_image_of_another_size_is_refused(paths):
    store = ImageStore(paths, sizes(8, (60, 40)))
    with pytest.raises(DataError, match="0.png is 30x20.*60x40"):
        store.get(0)
    assert ImageStore(paths, sizes(8, (31, 20))).get(0).shape == (20, 30, 3)


def test_wrong_setting(paths):
    with pytest.raises(ConfigError, match="auto, true or false"):
        ImageStore(paths, sizes(8), cache="yes")


def test_the_system_tells_its_memory():
    assert available_bytes() > 2**20
