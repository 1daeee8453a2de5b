"""Dates beyond the horizon: learnt from no later day, marked, and refused where nothing tried."""

import numpy as np
import pandas as pd
import pytest

from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.errors import HorizonError
from grocery_demand.core.features import Encoding
from grocery_demand.core.intervals import INTERVAL, QUANTILES
from grocery_demand.core.long_range import (
    YEARLY_NAIVE,
    LongRange,
    name_steps,
    plan_folds,
    train_long_range,
)
from grocery_demand.core.metrics import log1p_units
from grocery_demand.core.panel import Panel
from grocery_demand.core.trained_model import TrainedModel
from grocery_demand.core.training import fit_final_model, run_backtest
from worlds import SMALL_MODELS, make_panel, scramble_sales_after

TRAINING = TrainingParameters(max_training_rows=3000, max_long_range_rows=20_000)
SETTINGS = SMALL_MODELS["lightgbm"]


def train(panel: Panel, **values: object) -> tuple[LongRange, pd.DataFrame]:
    training = TrainingParameters(**{"max_long_range_rows": 20_000} | values)
    settings = SMALL_MODELS[training.model]
    return train_long_range(panel, training, settings, Encoding.fit(panel.series))


@pytest.fixture(scope="module")
def two_years() -> Panel:
    return make_panel(seed=3, n_days=731)


@pytest.fixture(scope="module")
def made(two_years) -> tuple[LongRange, pd.DataFrame]:
    return train(two_years)


@pytest.fixture(scope="module")
def trained(two_years, made) -> TrainedModel:
    tested = run_backtest(two_years, TRAINING, SETTINGS)
    return fit_final_model(two_years, TRAINING, SETTINGS, tested, {}, made[0])


@pytest.mark.parametrize(
    ("n_days", "spans"),
    [
        (1684, [365, 299, 241, 182, 120, 58]),
        (731, [365, 299, 241, 182, 120, 58]),
        (300, [243, 199, 160, 122, 80, 39]),
        (160, [103, 84, 68, 52, 34]),
        (80, [23, 19]),
        (74, [17]),
        (73, []),
        (40, []),
    ],
)
def test_the_backtest_reaches_as_far_back_as_the_sales_allow(n_days, spans):
    panel = make_panel(n_stores=1, n_items=1, n_days=n_days)
    assert [n_days - 1 - day for day in plan_folds(panel, 16)] == spans


def test_two_years_of_sales_answer_a_whole_year(two_years, made):
    long_range, forecasts = made
    assert long_range.furthest_step == 365
    assert forecasts["step"].min() == 17
    assert forecasts["step"].max() == 365
    assert long_range.forecaster.cutoff == str(two_years.cutoff)


def test_every_forecast_lies_beyond_the_horizon_and_beside_its_own_sales(two_years, made):
    table = made[1].sample(50, random_state=1)
    keys = two_years.series.reset_index().set_index(["store_nbr", "item_nbr"])["index"]
    for row in table.itertuples():
        day = two_years.day_of(str(row.date.date()))
        assert row.step == day - two_years.day_of(str(row.cutoff.date()))
        assert row.unit_sales == two_years.units[keys[row.store_nbr, row.item_nbr], day]


def test_the_yearly_naive_is_the_same_weekday_52_weeks_ago(two_years, made):
    keys = two_years.series.reset_index().set_index(["store_nbr", "item_nbr"])["index"]
    first_sale = two_years.series["first_sale"].to_numpy()
    table = made[1][made[1]["step"] <= 364]
    checked = 0
    for row in table.itertuples():
        series = keys[row.store_nbr, row.item_nbr]
        day = two_years.day_of(str(row.date.date())) - 364
        if day >= first_sale[series]:
            assert getattr(row, YEARLY_NAIVE) == pytest.approx(two_years.units[series, day], 1e-4)
            checked += 1
        else:
            naive = row.seasonal_naive
            assert getattr(row, YEARLY_NAIVE) == pytest.approx(0 if np.isnan(naive) else naive)
    assert checked > 100


def test_quantiles_are_in_order_and_cover_about_their_share(made):
    table = made[1]
    assert (np.diff(table[list(QUANTILES)].to_numpy(), axis=1) >= 0).all()
    actual = table["unit_sales"]
    low, high = (table[name] for name in INTERVAL)
    covered = ((actual >= low) & (actual <= high)).mean()
    assert 0.7 < covered < 0.95


def test_a_fold_has_learnt_nothing_from_after_its_cutoff(two_years, made):
    cutoff = made[1]["cutoff"].min()
    day = two_years.day_of(str(cutoff.date()))
    changed = scramble_sales_after(two_years, day)
    columns = ["store_nbr", "item_nbr", "step", "point"]
    before, after = (
        table[table["cutoff"] == cutoff].set_index(columns[:3])["point"]
        for table in (made[1], train(changed)[1])
    )
    both = before.index.intersection(after.index)
    assert len(both) > 100
    np.testing.assert_array_equal(before[both], after[both])


def test_it_beats_the_yearly_naive_on_sales_that_repeat_with_noise(made):
    table = made[1]
    actual = log1p_units(table["unit_sales"].to_numpy())
    error = {
        name: np.mean((log1p_units(table[name].to_numpy()) - actual) ** 2)
        for name in ("point", YEARLY_NAIVE)
    }
    assert error["point"] < 0.8 * error[YEARLY_NAIVE]


def test_the_same_sales_give_the_same_model(two_years, made):
    again, _ = train(two_years)
    assert again.forecaster.to_files() == made[0].forecaster.to_files()


@pytest.mark.parametrize("model", ["seasonal_naive", "random_forest"])
def test_other_models_answer_too(two_years, model):
    long_range, forecasts = train(two_years, model=model)
    assert long_range.forecaster.name == model
    assert (forecasts["point"] >= 0).all()


def test_short_sales_give_no_model_and_an_empty_table():
    long_range, forecasts = train(make_panel(n_days=60))
    assert long_range == LongRange(None, 0)
    assert forecasts.empty


def test_a_trained_model_marks_dates_beyond_the_horizon(two_years, trained, made):
    steps = np.array([1, 16, 17, 200, 365])
    table = trained.forecast(two_years, two_years.n_days - 1, steps)
    assert table["step"].tolist() == steps.tolist() * len(two_years.series)
    assert table["long_range"].tolist() == [False, False, True, True, True] * len(two_years.series)
    near = trained.final.forecast(two_years, two_years.n_days - 1, steps[:2])
    far = made[0].forecaster.forecast(two_years, two_years.n_days - 1, steps[2:])
    kept = table["long_range"]
    np.testing.assert_array_equal(table.loc[~kept, "point"], near["point"])
    np.testing.assert_array_equal(table.loc[kept, "point"], far["point"])


def test_the_dates_within_the_horizon_are_forecast_as_without_it(two_years, trained):
    steps = np.arange(1, 17)
    alone = trained.final.forecast(two_years, two_years.n_days - 1, steps)
    both = trained.forecast(two_years, two_years.n_days - 1, np.arange(1, 40))
    both = both[~both["long_range"]].drop(columns="long_range").reset_index(drop=True)
    pd.testing.assert_frame_equal(both, alone)


def test_a_date_too_far_ahead_is_refused_with_what_is_possible(two_years, trained):
    with pytest.raises(HorizonError, match=r"366 days ahead .* up to 365 days"):
        trained.forecast(two_years, two_years.n_days - 1, np.array([1, 366]))


def test_it_comes_back_from_its_files_and_counts_in_the_digest(two_years, trained):
    again = TrainedModel.from_files(trained.to_files())
    assert again.digest == trained.digest
    steps = np.array([30, 300])
    pd.testing.assert_frame_equal(
        again.forecast(two_years, two_years.n_days - 1, steps),
        trained.forecast(two_years, two_years.n_days - 1, steps),
    )
    without = TrainedModel(trained.final, trained.holdout, trained.metadata, trained.input_example)
    assert without.digest != trained.digest


def test_steps_are_named_by_their_span():
    names = name_steps(pd.Series([17, 30, 31, 90, 91, 365]))
    assert names.tolist() == ["up to 30", "up to 30", "31-60", "61-90", "91-180", "181-365"]
