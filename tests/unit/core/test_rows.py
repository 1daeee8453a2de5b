"""Rows to learn from: features of few series are those that they have among all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grocery_demand.core.backtest import TrainingDay
from grocery_demand.core.features import FEATURE_SETS, AheadFeature, Encoding, Snapshot
from grocery_demand.core.features.candidates import CANDIDATES
from grocery_demand.core.features.month_days import MONTH_DAY, MonthDays
from grocery_demand.core.panel import Panel
from grocery_demand.core.rows import RowPlan
from worlds import make_panel

NAMES = FEATURE_SETS["full"]
STEPS = np.arange(1, 17)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return make_panel(seed=9, n_stores=5, n_items=30, n_days=200)


@pytest.fixture(scope="module")
def long_past() -> Panel:
    """More than a year, so that the days of the month are known."""
    return make_panel(seed=9, n_stores=3, n_items=8, n_days=500)


def expect(
    panel: Panel, window: TrainingDay, names: tuple[str, ...], tried: dict[str, AheadFeature]
) -> np.ndarray:
    """Make features of all series, and keep the wanted ones on days that count."""
    encoding = Encoding.fit(panel.series)
    matrix = Snapshot(panel, window.day, tried).features(encoding, window.steps, names)
    matrix = matrix.reshape(len(panel.series), len(window.steps), len(names))[window.rows]
    days = window.day + window.steps
    counted = [
        [
            panel.first_sale[row] <= day and panel.open_days[panel.store_position[row], day]
            for day in days
        ]
        for row in window.rows
    ]
    return matrix[np.array(counted, bool).reshape(len(window.rows), len(days))]


@given(st.data())
def test_features_of_few_series_are_those_they_have_among_all_to_the_bit(panel, data):
    day = data.draw(st.integers(7, panel.n_days - 17))
    chosen = data.draw(st.sets(st.integers(0, len(panel.series) - 1)))
    window = TrainingDay(day, STEPS, np.array(sorted(chosen), int))
    rows = RowPlan.of(panel, [window], NAMES, Encoding.fit(panel.series)).gather(panel)
    np.testing.assert_array_equal(rows.matrix, expect(panel, window, NAMES, {}))


def test_few_and_many_series_of_several_cutoffs_know_the_same_days_of_the_month(long_past):
    every = np.arange(len(long_past.series))
    chosen = [(430, every), (433, every[2:5]), (454, every[:1]), (480, every[1::2])]
    windows = [TrainingDay(day, STEPS, rows) for day, rows in chosen]
    plan = RowPlan.of(long_past, windows, NAMES, Encoding.fit(long_past.series))
    found = plan.gather(long_past).matrix
    expected = np.concatenate([expect(long_past, window, NAMES, {}) for window in windows])
    np.testing.assert_array_equal(found, expected)
    assert np.isfinite(found[:, NAMES.index(MONTH_DAY)]).mean() > 0.9


def test_days_of_the_month_that_nobody_asks_for_are_not_made(long_past, monkeypatch):
    monkeypatch.setattr(MonthDays, "of", None)
    window = TrainingDay(430, STEPS, np.array([3]))
    encoding = Encoding.fit(long_past.series)
    plan = RowPlan.of(long_past, [window], ("moving_average", "step"), encoding)
    assert len(plan.gather(long_past))


def test_a_feature_that_is_tried_sees_all_series(panel):
    names = (*NAMES, *CANDIDATES)
    window = TrainingDay(150, STEPS, np.array([3]))
    plan = RowPlan.of(panel, [window], names, Encoding.fit(panel.series), CANDIDATES)
    np.testing.assert_array_equal(
        plan.gather(panel).matrix, expect(panel, window, names, CANDIDATES)
    )
