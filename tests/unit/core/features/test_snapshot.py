"""The one feature function: what is asked for is what comes, for any series and any day ahead."""

from dataclasses import replace

import numpy as np
import pytest

from grocery_demand.core.features import (
    FEATURE_SETS,
    MOVING_AVERAGE,
    SEASONAL_NAIVE,
    Encoding,
    Snapshot,
)
from grocery_demand.core.panel import Panel
from worlds import make_panel


def feature(panel: Panel, name: str, steps: list[int], day: int | None = None) -> np.ndarray:
    """Return one feature, [series, step]."""
    known = Snapshot(panel, panel.n_days - 1 if day is None else day)
    matrix = known.features(Encoding.fit(panel.series), np.array(steps), (name,))
    return matrix.reshape(len(panel.series), len(steps))


def test_no_feature_is_named_twice():
    for names in FEATURE_SETS.values():
        assert len(set(names)) == len(names)


def test_columns_come_in_the_order_asked_for(panel):
    encoding, steps = Encoding.fit(panel.series), np.arange(1, 4)
    names = ("step", "item_nbr", "mean_28")
    matrix = Snapshot(panel, 150).features(encoding, steps, names)
    reversed_ = Snapshot(panel, 150).features(encoding, steps, names[::-1])
    np.testing.assert_array_equal(matrix, reversed_[:, ::-1])
    assert matrix[:4, 0].tolist() == [1, 2, 3, 1]


def test_each_feature_lies_in_one_piece_of_memory(panel):
    matrix = Snapshot(panel, 150).features(
        Encoding.fit(panel.series), np.arange(1, 17), FEATURE_SETS["full"]
    )
    assert matrix.flags.f_contiguous


def test_a_feature_that_does_not_exist_is_refused(panel):
    with pytest.raises(KeyError, match="mean_2"):
        feature(panel, "mean_2", [1])


def test_features_reach_a_year_ahead(panel):
    for name in FEATURE_SETS["full"]:
        assert feature(panel, name, [366]).shape == (len(panel.series), 1)


def test_the_seasonal_naive_forecast_repeats_the_last_week(panel):
    naive = feature(panel, SEASONAL_NAIVE, [1, 7, 8, 16])
    sold = np.log1p(panel.units[:, [-7, -1, -7, -6]])
    np.testing.assert_allclose(naive, sold)


def test_steady_sales_with_a_weekly_shape_are_forecast_as_they_were():
    panel = make_panel(seed=4, n_stores=2, n_items=3, n_days=200)
    shape = np.array([5, 1, 2, 3, 4, 9, 8], np.float32)
    units = np.tile(shape[np.arange(200) % 7], (len(panel.series), 1))
    panel = replace(
        panel,
        units=units,
        open_days=np.ones_like(panel.open_days),
        series=panel.series.assign(first_sale=0),
    )
    for name in (SEASONAL_NAIVE, MOVING_AVERAGE):
        forecast = np.expm1(feature(panel, name, [1, 2, 3, 4, 5, 6, 7, 16]))
        expected = shape[(199 + np.array([1, 2, 3, 4, 5, 6, 7, 16])) % 7]
        np.testing.assert_allclose(forecast, np.tile(expected, (len(units), 1)), rtol=0.03)


def without_past(panel: Panel, row: int) -> Panel:
    units = panel.units.copy()
    units[row] = 0
    first_sale = panel.series["first_sale"].to_numpy().copy()
    first_sale[row] = panel.n_days
    return replace(panel, units=units, series=panel.series.assign(first_sale=first_sale))


def test_a_new_series_is_forecast_at_the_level_of_its_item_in_other_stores(panel):
    item = panel.series["item_nbr"].value_counts().index[0]
    rows = np.flatnonzero(panel.series["item_nbr"] == item)
    units = panel.units.copy()
    units[rows] = 20
    panel = without_past(
        replace(
            panel,
            units=units,
            open_days=np.ones_like(panel.open_days),
            series=panel.series.assign(first_sale=0),
        ),
        rows[0],
    )
    forecast = np.expm1(feature(panel, MOVING_AVERAGE, [1, 9])[rows[0]])
    np.testing.assert_allclose(forecast, 20, rtol=1e-4)


def test_a_new_item_is_forecast_at_the_level_of_its_class_in_the_store():
    panel = make_panel(seed=6, n_stores=1, n_items=3, n_days=60)
    panel = replace(
        panel,
        units=np.full_like(panel.units, 3),
        open_days=np.ones_like(panel.open_days),
        series=panel.series.assign(
            **{"first_sale": 0, "class": [1000, 1000, 2000][: len(panel.series)]}
        ),
    )
    units = panel.units.copy()
    units[1] = 8
    panel = without_past(replace(panel, units=units), 0)
    assert np.expm1(feature(panel, MOVING_AVERAGE, [1])[0, 0]) == pytest.approx(8, rel=1e-4)


def test_a_year_ago_is_unknown_to_younger_series(panel):
    assert np.isnan(feature(panel, "year_ago", [1, 16])).all()


def test_promotions_beyond_the_plan_count_as_none():
    short = make_panel(seed=7, n_planned_days=3)
    promotions = np.ones_like(short.promotions)
    panel = replace(short, promotions=promotions)
    assert feature(panel, "onpromotion", [1, 3, 4, 16])[0].tolist() == [1, 1, 0, 0]
    assert feature(panel, "promotions_ahead", [1])[0, 0] == 3


def test_the_day_after_the_last_planned_one_is_unknown_in_the_past_too():
    """A cutoff in the past could see the next day's promotion; the newest one cannot."""
    panel = make_panel(seed=8, n_days=100)
    panel = replace(panel, promotions=np.ones_like(panel.promotions))
    for day in (50, panel.n_days - 1):
        after = feature(panel, "onpromotion_day_after", [15, 16], day)
        assert after[0].tolist() == [1, 0]
