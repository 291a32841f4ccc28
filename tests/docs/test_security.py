"""Every number of SECURITY.md is the one in the code, and no limit of the service is left out."""

from __future__ import annotations

import importlib
import re
from dataclasses import fields
from pathlib import Path

import pytest

from ppdet.service.limits import ServiceLimits

PAGE = (Path(__file__).resolve().parents[2] / "SECURITY.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| [^|]+ \| (\d+) \| `([\w.]+)` \|$", PAGE, flags=re.M)
NO_BOUND = {"batch_images", "batch_wait_ms"}  # how images are put together, which bounds nothing that clients do


@pytest.mark.parametrize(("number", "place"), ROWS, ids=[place for _, place in ROWS])
def test_the_number_is_the_one_in_the_code(number: str, place: str) -> None:
    module, _, name = place.rpartition(".")
    if module == "ServiceLimits":
        assert float(number) == getattr(ServiceLimits(), name)
        return
    if module.startswith("ppdet.service"):
        pytest.importorskip("fastapi")
    assert float(number) == getattr(importlib.import_module(module), name)


def test_every_limit_of_the_service_is_listed() -> None:
    listed = {place.rpartition(".")[2] for _, place in ROWS if place.startswith("ServiceLimits.")}
    assert listed == {each.name for each in fields(ServiceLimits)} - NO_BOUND


def test_the_size_on_disk_is_right() -> None:
    limits = ServiceLimits()
    mib = limits.video_jobs * (limits.video_mib + 2 * limits.video_result_mib) + 2 * limits.video_uploads * limits.video_mib
    assert f"{mib / 1024:g} GiB with the defaults" in PAGE
