"""The named figures on errors made by hand, and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ppdet.core.errors import ConfigError
from ppdet.metrics.landmarks.figure_names import lower_is_better, parse_figures, unit_of
from ppdet.metrics.landmarks.figures import figure_values, point_values, tabulate
from ppdet.metrics.landmarks.point_errors import PointErrors, measure, reference_length
from ppdet.skeletons import Keypoint, Skeleton

STICK = Skeleton("stick", (Keypoint("head"), Keypoint("tail")))


def errors(pixels: np.ndarray, unit: float = 10.0, spacing: float = 0.5) -> PointErrors:
    pixels = np.asarray(pixels, np.float64)
    count = len(pixels)
    return PointErrors(pixels, np.full(count, unit), np.full(count, 4.0), np.arange(count), pixels * spacing)


def test_names_in_any_case() -> None:
    names = [figure.name for figure in parse_figures(["epe", "pck@.1", "PCKH", "auc@50px", "SDR", "ap50", "sdr@2.5"])]
    assert names == ["EPE", "PCK@0.1", "PCKh", "AUC@50px", "SDR@2mm", "SDR@2.5mm", "SDR@3mm", "SDR@4mm", "AP50"]
    assert lower_is_better("EPE") and lower_is_better("MRE") and not lower_is_better("PCK@0.1") and not lower_is_better("AP")
    assert (unit_of("EPE"), unit_of("SD"), unit_of("SDR@2mm"), unit_of("AP")) == ("px", "mm", "", "")


@pytest.mark.parametrize("name", ["PKC", "EPE@2", "PCK@0", "SDR@2px", "", "PCK@0.1.2", 3, "PCK@"])
def test_other_names_are_refused(name: object) -> None:
    with pytest.raises(ConfigError, match="metric"):
        parse_figures([name])


def test_every_figure_by_hand() -> None:
    """Distances 1 and 3 of the head, 2 and an unlabelled tail; the unit is 10 pixels, a pixel is half a millimetre."""
    figures = parse_figures(["EPE", "NME", "PCK@0.2", "PCKh", "AUC@4px", "MRE", "SD", "SDR@1mm"])
    got = figure_values(figures, errors([[1.0, 2.0], [3.0, np.nan]]))
    assert got["EPE"] == pytest.approx(2) and got["NME"] == pytest.approx(0.2)
    assert got["PCK@0.2"] == pytest.approx((0.5 + 1) / 2)  # a mean over keypoints: head 1 of 2, tail 1 of 1
    assert got["PCKh"] == pytest.approx(2 / 3)  # a share of all points within half of 4 pixels: 1 and 2
    # limits 0, .2, ... 3.8: 15 of 20 are at least 1, 5 at least 3, 10 at least 2
    assert got["AUC@4px"] == pytest.approx(np.mean([(15 + 5) / 40, 10 / 20]))
    assert got["MRE"] == pytest.approx(1) and got["SD"] == pytest.approx(np.std([0.5, 1, 1.5], ddof=1))
    assert got["SDR@1mm"] == pytest.approx(2 / 3)


def test_objects_that_were_not_found() -> None:
    given = errors([[1.0, 1.0], [np.inf, np.inf]])
    got = figure_values(parse_figures(["EPE", "PCK", "SDR@2mm"]), given)
    assert given.missed == 1 and got == pytest.approx({"EPE": 1, "PCK": 0.5, "SDR@2mm": 0.5})


def test_per_keypoint_against_numpy() -> None:
    distances = np.random.default_rng(0).exponential(3, (40, 2))
    table = {each.figure.name: each for each in tabulate(parse_figures(["EPE", "SD", "PCK@0.3"]), errors(distances), 0)}
    assert table["EPE"].per_keypoint == pytest.approx(distances.mean(axis=0))
    assert table["SD"].per_keypoint == pytest.approx(distances.std(axis=0, ddof=1) * 0.5)
    assert table["PCK@0.3"].per_keypoint == pytest.approx((distances <= 3).mean(axis=0))
    assert np.isnan(table["EPE"].intervals).all() and table["EPE"].count.tolist() == [40, 40]


@pytest.mark.parametrize("name", ["EPE", "SD", "PCK@0.3"])
def test_intervals_against_scipy(name: str) -> None:
    distances = np.random.default_rng(1).exponential(3, (60, 1))
    (table,) = tabulate(parse_figures([name]), errors(distances), 4000)
    statistic = {
        "EPE": np.mean,
        "SD": lambda x, axis: np.std(x, axis=axis, ddof=1) * 0.5,
        "PCK@0.3": lambda x, axis: (x <= 3).mean(axis=axis),
    }[name]
    found = stats.bootstrap((distances[:, 0],), statistic, n_resamples=4000, method="percentile", rng=np.random.default_rng(2))
    width = found.confidence_interval.high - found.confidence_interval.low
    assert table.interval == pytest.approx(list(found.confidence_interval), abs=0.08 * width)
    assert table.intervals[0] == pytest.approx(table.interval)


def test_the_bootstrap_draws_images_not_objects() -> None:
    """Ten copies of each error in one image say no more than one: the interval stays as wide."""
    once = np.random.default_rng(3).exponential(3, (30, 1))
    many = np.repeat(once, 10, axis=0)
    grouped = PointErrors(many, np.ones(300), np.ones(300), np.repeat(np.arange(30), 10))
    figures = parse_figures(["EPE"])
    (single,), (repeated,) = tabulate(figures, errors(once), 2000), tabulate(figures, grouped, 2000)
    assert np.ptp(repeated.interval) == pytest.approx(np.ptp(single.interval), rel=1e-6)


def test_one_image_has_no_interval() -> None:
    (table,) = tabulate(parse_figures(["EPE"]), errors([[1.0, 2.0]]), 100)
    assert np.isnan(table.interval).all() and table.value == 1.5


def test_anisotropic_spacing() -> None:
    xy, truth = np.array([[[3.0, 4.0], [1.0, 1.0]]]), np.zeros((1, 2, 2))
    pixels, millimetres = measure(xy, truth, np.array([[2, 0]]), np.array([[0.1, 0.2]]))
    assert pixels[0, 0] == 5 and np.isnan(pixels[0, 1])
    assert millimetres is not None and millimetres[0, 0] == pytest.approx(np.hypot(0.3, 0.8))


def test_reference_lengths() -> None:
    truth, visible = np.array([[[0, 0], [3, 4]], [[0, 0], [0, 9]]], float), np.array([[2, 2], [2, 0]])
    box, area = np.array([[6, 8], [2, 1]], float), np.array([49.0, 4.0])

    def length(unit: object) -> list[float]:
        return reference_length(unit, STICK, truth, visible, box, area).tolist()

    assert length("box") == [8, 2] and length("diagonal") == [10, np.sqrt(5)] and length("area") == [7, 2]
    pair = length(["head", "tail"])
    assert pair[0] == 5 and np.isnan(pair[1])
    given = PointErrors(np.ones((2, 2)), np.array(pair), np.ones(2), np.arange(2))
    assert np.isnan(point_values(parse_figures("NME")[0], given)[1]).all()
