"""The load check itself: it counts what happened, and says what went wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from support.served import encoded, planted_image, running_server
from support.web_server import serving

from ppdet.commands.models import benchmark
from ppdet.image.header import read_header
from ppdet.service.load.clients import LoadReport, run_clients
from ppdet.service.load.hostile import bomb_png, huge_body


def test_a_report_counts_answers_and_errors() -> None:
    report = LoadReport([0.1, 0.2, 0.3], Counter(), 2.0)
    report.add(LoadReport([0.4], Counter({"status 429": 2}), 2.0))
    assert (report.rate, report.percentile_ms(50), report.error_text()) == (1.0, pytest.approx(250.0), "2 x status 429")
    assert LoadReport().error_text() == "0"


def test_clients_see_refusals_and_a_server_that_is_gone() -> None:
    with serving({}) as (address, _):
        port = int(address.rpartition(":")[2])
        assert run_clients(port, [b"x"], 2, 0.1).errors["status 501"] >= 1  # this server takes no POST
    found = run_clients(port, [b"x"], 1, 0.05)
    assert not found.seconds and found.errors["ConnectionRefusedError"] >= 1


@pytest.mark.slow
def test_clients_of_a_real_server(tmp_path: Path) -> None:
    with running_server(tmp_path, "--body_mib", "1") as server:
        found = run_clients(server.port, [encoded(planted_image())], 8, 2.0)
        assert len(found.seconds) >= 8 and not found.errors and found.percentile_ms(99) >= found.percentile_ms(50) > 0
        assert huge_body(server.port).startswith("status 413 after ")


def test_the_bomb_is_one() -> None:
    data = bomb_png(1000)
    header = read_header(data)
    assert header is not None and header.wh == (1000, 1000) and len(data) < 1000


def test_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark.main(["serve", "--images", str(tmp_path)], prog="ppdet benchmark") == 2
    assert "no image in" in capsys.readouterr().err
    assert benchmark.main(["serve", "--images", str(tmp_path), "--clients", "0"], prog="ppdet benchmark") == 2
    assert "must be positive" in capsys.readouterr().err
