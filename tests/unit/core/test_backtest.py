"""Which days a model learns from, which it is scored with, and that they never mix."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grocery_demand.core.backtest import (
    TrainingParameters,
    choose_training_days,
    compare_with_sales,
    count_fits,
    plan_cutoffs,
    scored_rows,
)
from grocery_demand.core.errors import DataShortageError
from grocery_demand.core.features import Encoding
from grocery_demand.core.forecaster import Forecaster
from grocery_demand.core.intervals import Intervals
from grocery_demand.core.models import fit_model
from grocery_demand.core.panel import Panel
from worlds import make_panel, panels, scramble_sales_after

NO_ROWS = (np.empty((0, 1), np.float32), np.empty(0), np.empty(0))

trainings = st.builds(
    TrainingParameters,
    horizon=st.sampled_from([1, 7, 16, 28]),
    backtest_folds=st.integers(1, 4),
    min_backtest_rows=st.sampled_from([0, 10_000]),
    max_training_rows=st.sampled_from([1000, 1500, 4000, 10**6]),
    max_training_cutoffs=st.sampled_from([1, 5, 20, 104]),
)


def started_early(**shape: int) -> Panel:
    """A panel whose series all have sales from the first day on."""
    panel = make_panel(**shape)
    return replace(panel, series=panel.series.assign(first_sale=0))


def days_before(n_days: int, **values: int) -> np.ndarray:
    """How many days before the fit each cutoff lies, for two series."""
    panel = started_early(n_stores=1, n_items=2, n_days=n_days)
    training = TrainingParameters(**{"max_training_cutoffs": 104} | values)
    chosen = choose_training_days(panel, n_days - 1, training)
    return np.array([n_days - 1 - window.day for window in chosen])


def make_naive_forecaster(panel) -> Forecaster:
    model = fit_model("seasonal_naive", ("seasonal_naive",), *NO_ROWS, {}, 0)
    encoding = Encoding.fit(panel.series)
    return Forecaster("seasonal_naive", model, encoding, Intervals.unknown(), "2015-06-01")


@given(panels(min_days=80), trainings)
def test_windows_that_are_scored_never_overlap(panel, training):
    cutoffs = plan_cutoffs(panel, training)
    scored = [
        day
        for cutoff in (cutoffs.holdout, *cutoffs.folds)
        for day in range(cutoff + 1, cutoff + training.horizon + 1)
    ]
    assert len(set(scored)) == len(scored)
    assert max(scored) == panel.n_days - 1
    assert min(cutoffs.folds) >= 7


@given(panels(min_days=80), trainings)
def test_all_windows_start_on_the_weekday_of_the_holdout(panel, training):
    cutoffs = plan_cutoffs(panel, training)
    assert {(cutoffs.holdout - fold) % 7 for fold in cutoffs.folds} == {0}
    assert list(cutoffs.folds) == sorted(cutoffs.folds, reverse=True)
    assert len(cutoffs.folds) <= 3 * training.backtest_folds


@pytest.mark.parametrize(
    ("rows", "folds"),
    [(0, 2), (2 * 16 * 12, 2), (2 * 16 * 12 + 1, 3), (5 * 16 * 12, 5), (10**6, 6)],
)
def test_few_series_get_more_folds_for_as_many_errors(rows, folds):
    panel = make_panel(n_days=400).select(np.arange(12))
    training = TrainingParameters(backtest_folds=2, min_backtest_rows=rows)
    assert len(plan_cutoffs(panel, training).folds) == folds


@pytest.mark.parametrize(
    ("fits", "folds", "expected"),
    [(2, 4, 2), (2, 12, 6), (1, 12, 3), (3, 5, 4), (2, 1, 1), (9, 4, 4)],
)
def test_more_folds_get_more_fits_in_proportion(fits, folds, expected):
    assert count_fits(folds, TrainingParameters(backtest_folds=4, backtest_fits=fits)) == expected


def test_sales_of_few_weeks_get_as_many_folds_as_fit(panel):
    training = TrainingParameters(backtest_folds=10)
    assert len(plan_cutoffs(panel, training).folds) == 8


def test_sales_too_short_for_a_fold_and_the_holdout_say_how_many_days_are_needed():
    training = TrainingParameters(horizon=16)
    with pytest.raises(DataShortageError) as shortage:
        plan_cutoffs(make_panel(n_days=51), training)
    assert "cover 51 days (2015-06-01 … 2015-07-21)" in str(shortage.value)
    assert "needs at least 52" in str(shortage.value)
    assert len(plan_cutoffs(make_panel(n_days=52), training).folds) == 1


@given(panels(min_days=40), trainings, st.data())
def test_nothing_is_learnt_from_after_the_fits_cutoff(panel, training, data):
    day = data.draw(st.integers(21, panel.n_days - 1))
    chosen = choose_training_days(panel, day, training)
    first_sale = panel.series["first_sale"].to_numpy()
    assert chosen or min(first_sale) > day
    for window in chosen:
        assert window.day >= 7
        assert window.day + window.steps.max() <= day
        assert (first_sale[window.rows] <= day).all()


@given(st.integers(21, 700), st.integers(1, 78))
def test_cutoffs_lie_three_days_apart_and_further_back_whole_weeks(n_days, fewest):
    before = days_before(n_days, min_training_cutoffs=fewest)
    apart = np.diff(before, prepend=0)
    n_close = np.argmax(np.append(apart, 7) > 3)
    assert set(apart[:n_close]) <= {3}
    assert set(before[n_close:] % 7) <= {0}
    assert set(apart[n_close + 1 :]) <= {7}
    assert set(apart) <= {3, 7, 8, 9}


@given(st.integers(22, 700), st.integers(1, 78))
def test_as_few_cutoffs_lie_closer_as_give_the_fewest_wanted(n_days, fewest):
    n_cutoffs = len(days_before(n_days, min_training_cutoffs=fewest))
    weeks, if_all_lie_closer = (n_days - 8) // 7, (n_days - 8) // 3
    assert n_cutoffs >= min(fewest, if_all_lie_closer)
    assert n_cutoffs <= max(fewest + 3, weeks)


@given(st.integers(21, 700), st.integers(1, 78))
def test_one_more_day_of_sales_changes_the_number_of_cutoffs_by_one_at_most(n_days, fewest):
    shorter, longer = (
        len(days_before(days, min_training_cutoffs=fewest)) for days in (n_days, n_days + 1)
    )
    assert abs(longer - shorter) <= 1


def test_most_cutoffs_are_the_newest():
    before = days_before(700, max_training_cutoffs=5)
    assert before.tolist() == [7, 14, 21, 28, 35]


@given(panels(min_days=40), trainings, st.data())
def test_the_row_budget_is_kept(panel, training, data):
    day = data.draw(st.integers(21, panel.n_days - 1))
    chosen = choose_training_days(panel, day, training)
    n_rows = sum(len(window.rows) * len(window.steps) for window in chosen)
    assert n_rows <= training.max_training_rows


def test_most_of_the_row_budget_is_used():
    panel = started_early(seed=3, n_stores=6, n_items=40, n_days=200)
    training = TrainingParameters(max_training_rows=5000)
    chosen = choose_training_days(panel, 199, training)
    n_rows = sum(len(window.rows) * len(window.steps) for window in chosen)
    assert len(chosen) == 27
    assert n_rows > 4400
    assert all(len(np.unique(window.rows)) == len(window.rows) for window in chosen)


def test_where_most_series_are_young_the_row_budget_is_used_all_the_same():
    panel = make_panel(seed=3, n_stores=6, n_items=200, n_days=400)
    young = np.arange(len(panel.series)) >= 60
    panel = replace(panel, series=panel.series.assign(first_sale=np.where(young, 370, 0)))
    training = TrainingParameters(max_training_rows=20_000)
    chosen = choose_training_days(panel, 399, training)
    n_rows = sum(len(window.rows) * len(window.steps) for window in chosen)
    assert len(chosen) == 52
    assert 19_000 < n_rows <= 20_000


def test_cutoffs_before_the_first_sale_of_all_series_are_left_out():
    panel = make_panel(n_stores=1, n_items=4, n_days=420)
    panel = replace(panel, series=panel.series.assign(first_sale=350))
    chosen = choose_training_days(panel, 419, TrainingParameters())
    assert min(window.day for window in chosen) == 335
    assert all(len(window.rows) for window in chosen)


def test_few_series_get_as_many_cutoffs_as_the_budget_allows_and_many_the_fewest():
    few = started_early(n_stores=1, n_items=2, n_days=420)
    many = started_early(n_stores=6, n_items=60, n_days=420)
    training = TrainingParameters(max_training_rows=20_000)
    assert len(choose_training_days(few, 419, training)) == 58
    assert len(choose_training_days(many, 419, training)) == 52


def test_few_rows_are_of_several_series_at_fewer_cutoffs():
    panel = started_early(n_stores=6, n_items=60, n_days=420)
    chosen = choose_training_days(panel, 419, TrainingParameters(max_training_rows=1280))
    assert [len(window.rows) for window in chosen] == [8] * 10


def test_a_budget_that_closer_cutoffs_would_exceed_keeps_them_a_week_apart():
    panel = started_early(n_stores=3, n_items=20, n_days=30)
    n_rows = len(panel.series) * sum((3, 6, 9, 12, 15, 16, 16))
    for budget, n_cutoffs in ((n_rows, 7), (n_rows - 1, 3)):
        training = TrainingParameters(max_training_rows=budget)
        assert len(choose_training_days(panel, 29, training)) == n_cutoffs


def test_a_short_past_is_used_up_before_series_are_left_out():
    panel = started_early(seed=2, n_stores=3, n_items=20, n_days=30)
    training = TrainingParameters(max_training_rows=2000)
    chosen = choose_training_days(panel, 29, training)
    assert [window.day for window in chosen] == [22, 15, 8]
    n_rows = sum(len(window.rows) * len(window.steps) for window in chosen)
    assert n_rows > 0.6 * training.max_training_rows


def test_the_sample_of_series_is_the_same_each_time_and_another_by_another_seed():
    panel = make_panel(seed=3, n_stores=6, n_items=40, n_days=200)
    rows = [
        [
            window.rows.tolist()
            for window in choose_training_days(
                panel, 199, TrainingParameters(max_training_rows=5000, seed=seed)
            )
        ]
        for seed in (1, 1, 2)
    ]
    assert rows[0] == rows[1] != rows[2]


@given(panels(min_days=60), st.data())
def test_what_is_chosen_to_learn_from_ignores_later_sales(panel, data):
    day = data.draw(st.integers(21, panel.n_days - 2))
    training = TrainingParameters(max_training_rows=1000)
    changed = scramble_sales_after(panel, day)
    pairs = zip(
        choose_training_days(panel, day, training),
        choose_training_days(changed, day, training),
        strict=True,
    )
    for one, other in pairs:
        assert one.day == other.day
        np.testing.assert_array_equal(one.rows, other.rows)


def test_days_before_the_first_sale_and_of_closed_stores_are_not_scored():
    panel = make_panel(n_stores=1, n_items=1, n_days=40)
    open_days = np.ones_like(panel.open_days)
    open_days[0, 33] = False
    panel = replace(panel, open_days=open_days, series=panel.series.assign(first_sale=32))
    counted = scored_rows(panel, 30, np.arange(1, 6), np.array([0]))
    assert counted.tolist() == [[False, True, False, True, True]]


def test_forecasts_stand_beside_the_units_of_their_own_series_and_day(panel):
    table = compare_with_sales(make_naive_forecaster(panel), panel, 180, np.arange(1, 17))
    positions = panel.series.reset_index().set_index(["store_nbr", "item_nbr"])["index"]
    assert len(table) > 100
    for row in table.itertuples():
        position = positions[row.store_nbr, row.item_nbr]
        day = panel.day_of(np.datetime64(row.date, "D"))
        assert day == 180 + row.step
        assert row.unit_sales == panel.units[position, day]
        assert row.is_new == (panel.series["first_sale"][position] > 180)
        assert row.family == panel.series["family"][position]
        assert panel.date_of(180) == np.datetime64(row.cutoff, "D")


def test_every_row_that_counts_is_there_once(panel):
    table = compare_with_sales(make_naive_forecaster(panel), panel, 180, np.arange(1, 17))
    counted = scored_rows(panel, 180, np.arange(1, 17), np.arange(len(panel.series)))
    assert len(table) == counted.sum()
    assert not table.duplicated(["store_nbr", "item_nbr", "date"]).any()
