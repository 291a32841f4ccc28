"""Pictures of a page."""

from __future__ import annotations

import warnings

import pytest

from ppdet.visualize.html_page import plot_bytes


def test_names_in_any_script_are_drawn_without_a_warning() -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().set_title("左耳 \U0001f42d")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert plot_bytes(figure).startswith(b"\x89PNG")
