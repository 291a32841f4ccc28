"""Settings of the tracker: from YAML, from PaddleDetection's file, and mistakes in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppdet.core.errors import ConfigError
from ppdet.inference.tracking.settings import TrackerSettings


def test_yaml(tmp_path: Path) -> None:
    file = tmp_path / "tracker.yml"
    file.write_text("tracker:\n  reentry_seconds: 5\n  min_hits: 2\n")
    assert TrackerSettings.load(file) == TrackerSettings(reentry_seconds=5, min_hits=2)


def test_paddledetections_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "tracker_config.yml"
    file.write_text("type: JDETracker\nJDETracker:\n  use_byte: True\n  conf_thres: 0.6\n  low_conf_thres: 0.1\n"
                    "  track_buffer: 60\n  match_thres: 0.9\n")
    assert TrackerSettings.load(file) == TrackerSettings(high_score=0.6, low_score=0.1, reentry_seconds=2.0)
    assert "use_byte, match_thres have no effect" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tracker: {reentry: 5}", "unknown key 'reentry'; known are high_score"),
        ("tracker: {min_hits: 0}", "tracker.min_hits is 0, expected a whole number from 1"),
        ("tracker: 5", "neither a mapping `tracker:`"),
        ("- 5", "holds no mapping"),
        ("tracker: {", "tracker.yml"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "tracker.yml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        TrackerSettings.load(file)
    with pytest.raises(ConfigError):
        TrackerSettings.load(tmp_path / "missing.yml")
    with pytest.raises(ConfigError, match="low_score is 2"):
        TrackerSettings(low_score=2)
