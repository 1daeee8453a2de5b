"""Small panels in, expected statistics out."""

from dataclasses import replace

import numpy as np
import pytest

from grocery_demand.core.features.history import (
    divide,
    moving_average_level,
    summarise_history,
)
from grocery_demand.core.panel import Panel
from worlds import make_panel


def one_series(units: list[float], first_sale: int = 0, closed: tuple[int, ...] = ()) -> Panel:
    """Return a panel of one series in one store."""
    panel = make_panel(n_stores=1, n_items=1, n_days=len(units), n_planned_days=0)
    open_days = np.ones((1, len(units)), bool)
    open_days[:, list(closed)] = False
    return replace(
        panel,
        units=np.array([units], np.float32),
        promotions=np.zeros((1, len(units)), np.uint8),
        open_days=open_days,
        series=panel.series.assign(first_sale=first_sale),
    )


def stats_of(panel: Panel) -> dict[str, float]:
    stats = summarise_history(panel, panel.n_days - 1).stats
    return {name: float(values[0]) for name, values in stats.items()}


def test_means_are_of_the_logarithm_of_the_units():
    stats = stats_of(one_series([0, 0, 0, 0, 0, 1, 3]))
    assert stats["mean_1"] == pytest.approx(np.log(4))
    assert stats["mean_3"] == pytest.approx((np.log(2) + np.log(4)) / 3)
    assert stats["mean_7"] == pytest.approx((np.log(2) + np.log(4)) / 7)


def test_days_before_the_first_sale_do_not_count():
    stats = stats_of(one_series([0, 0, 0, 0, 0, 1, 1], first_sale=5))
    assert stats["mean_7"] == pytest.approx(np.log(2))
    assert stats["mean_140"] == pytest.approx(np.log(2))
    assert stats["days_since_first_sale"] == 2


def test_days_on_which_the_store_was_closed_do_not_count():
    stats = stats_of(one_series([1, 0, 1, 0, 0, 0, 0], closed=(3, 4, 5, 6)))
    assert stats["mean_7"] == pytest.approx(np.log(2) * 2 / 3)
    assert stats["sale_share_7"] == pytest.approx(2 / 3)
    assert np.isnan(stats["mean_3"])


def test_a_series_that_has_not_started_is_unknown():
    stats = stats_of(one_series([0] * 9, first_sale=9))
    unknown = {name for name, value in stats.items() if np.isnan(value)}
    assert {"mean_1", "mean_140", "sale_share_28", "deviation_28", "mean_unpromoted"} <= unknown
    assert stats["days_since_first_sale"] == 0
    assert stats["days_since_sale"] == 140


@pytest.mark.parametrize(
    ("units", "days"), [([0, 0, 5], 0), ([5, 0, 0], 2), ([0, 0, 0], 140), ([9] + [0] * 150, 140)]
)
def test_days_since_the_last_sale_are_none_on_the_cutoff_and_140_at_most(units, days):
    assert stats_of(one_series(units))["days_since_sale"] == days


def test_the_deviation_of_steady_sales_is_none():
    assert stats_of(one_series([7.0] * 150))["deviation_140"] == pytest.approx(0, abs=1e-2)


def test_promoted_and_other_days_have_means_of_their_own():
    panel = one_series([1, 3, 1, 3])
    panel = replace(panel, promotions=np.array([[0, 1, 0, 1]], np.uint8))
    stats = stats_of(panel)
    assert stats["mean_promoted"] == pytest.approx(np.log(4))
    assert stats["mean_unpromoted"] == pytest.approx(np.log(2))
    assert stats["promotions_7"] == 2


def test_without_promotions_the_promoted_mean_is_unknown():
    assert np.isnan(stats_of(one_series([1, 3, 1, 3]))["mean_promoted"])


def test_the_last_week_starts_with_the_weekday_of_the_day_after_the_cutoff():
    history = summarise_history(one_series([100, 0, 1, 2, 3, 4, 5, 6]), 7)
    np.testing.assert_allclose(history.last_week[:, 0], np.log1p([0, 1, 2, 3, 4, 5, 6]))


def test_the_level_of_a_store_closed_for_weeks_comes_from_the_days_before():
    panel = one_series([1.0] * 60 + [0.0] * 30, closed=tuple(range(60, 90)))
    history = summarise_history(panel, 89)
    assert np.isnan(history.stats["mean_28"][0])
    assert moving_average_level(history)[0] == pytest.approx(np.log(2))


def test_the_level_of_a_series_never_observed_is_unknown():
    panel = one_series([0.0] * 20, first_sale=20)
    assert np.isnan(moving_average_level(summarise_history(panel, 19))[0])


def test_series_are_summarised_alike_however_many_there_are():
    panel = make_panel(seed=2, n_stores=50, n_items=110, n_days=30, n_planned_days=0)
    assert len(panel.series) > 4096
    everything = summarise_history(panel, 29)
    rows = np.array([0, 17, 4095, 4096, len(panel.series) - 1])
    some = summarise_history(panel.select(rows), 29)
    for name, values in some.stats.items():
        np.testing.assert_array_equal(values, everything.stats[name][rows], err_msg=name)
    np.testing.assert_array_equal(some.weekday_sums, everything.weekday_sums[..., rows])


def test_nothing_divided_by_no_days_is_unknown():
    quotient = divide(np.array([6.0, 0.0]), np.array([3.0, 0.0]))
    np.testing.assert_array_equal(quotient, np.array([2, np.nan], np.float32))
    assert quotient.dtype == np.float32
