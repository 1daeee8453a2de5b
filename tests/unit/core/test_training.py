"""A training repeats itself, and no model reads what it is scored with."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from grocery_demand.core.backtest import TrainingParameters, choose_training_days, plan_cutoffs
from grocery_demand.core.errors import DataShortageError
from grocery_demand.core.features import FEATURE_SETS, Encoding
from grocery_demand.core.forecaster import FORECAST
from grocery_demand.core.intervals import INTERVAL, QUANTILES
from grocery_demand.core.models import BASELINES, MODELS
from grocery_demand.core.panel import Panel
from grocery_demand.core.trained_model import TrainedModel
from grocery_demand.core.training import Backtest, assemble_rows, fit_final_model, run_backtest
from worlds import SMALL_MODELS, make_panel, scramble_sales_after


def backtest(panel: Panel, **values: object) -> Backtest:
    training = TrainingParameters(**{"max_training_rows": 3000} | values)
    return run_backtest(panel, training, SMALL_MODELS[training.model])


def train(panel: Panel, **values: object) -> TrainedModel:
    training = TrainingParameters(**{"max_training_rows": 3000} | values)
    settings = SMALL_MODELS[training.model]
    tested = run_backtest(panel, training, settings)
    return fit_final_model(panel, training, settings, tested, {"nwrmsle": 0.5})


@pytest.fixture(scope="module")
def rows(panel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    training = TrainingParameters(max_training_rows=10_000)
    encoding = Encoding.fit(panel.series)
    return assemble_rows(panel, 180, training, FEATURE_SETS["full"], encoding)


def test_each_row_to_learn_from_is_a_day_on_which_the_series_was_observed(panel, rows):
    matrix, target, weight = rows
    names = FEATURE_SETS["full"]
    positions = {
        (row.store_nbr, row.item_nbr): i
        for i, row in panel.series[["store_nbr", "item_nbr"]].iterrows()
    }
    chosen = choose_training_days(panel, 180, TrainingParameters(max_training_rows=10_000))
    expected = [
        (series, window.day + step)
        for window in chosen
        for series in window.rows
        for step in window.steps
        if panel.series["first_sale"][series] <= window.day + step
        and panel.open_days[panel.store_position[series], window.day + step]
    ]
    assert len(expected) == len(matrix) == len(target) == len(weight)
    columns = [names.index(name) for name in ("store_nbr", "item_nbr", "weekday")]
    for found, (series, day), units in zip(matrix[:, columns], expected, target, strict=True):
        assert positions[found[0], found[1]] == series
        assert found[2] == pd.Timestamp(panel.date_of(day)).day_of_week
        assert units == np.log1p(panel.units[series, day])


def test_rows_of_perishable_items_weigh_a_quarter_more(panel, rows):
    matrix, _, weight = rows
    perishable = matrix[:, FEATURE_SETS["full"].index("perishable")]
    np.testing.assert_array_equal(weight, np.where(perishable == 1, 1.25, 1).astype(np.float32))
    assert set(perishable) == {0, 1}


def test_rows_are_float32_and_lie_column_by_column(rows):
    assert {part.dtype for part in rows} == {np.dtype(np.float32)}
    assert rows[0].flags.f_contiguous


@pytest.mark.parametrize("model", MODELS)
def test_a_training_gives_the_same_model_again(panel, model):
    one, other = train(panel, model=model), train(panel, model=model)
    assert one.digest == other.digest
    assert one.to_files() == other.to_files()


def test_another_seed_or_feature_set_gives_another_model(panel):
    digests = {
        train(panel).digest,
        train(panel, seed=8).digest,
        train(panel, feature_set="workshop").digest,
        train(panel, model="decision_tree").digest,
    }
    assert len(digests) == 4


def test_the_models_scored_on_the_holdout_never_read_it(panel):
    """Whatever the holdout's sales are, model, backtest and forecasts of the holdout stay."""
    holdout = plan_cutoffs(panel, TrainingParameters()).holdout
    changed = scramble_sales_after(panel, holdout)
    one, other = backtest(panel), backtest(changed)
    assert one.holdout_forecaster.to_files() == other.holdout_forecaster.to_files()
    pd.testing.assert_frame_equal(one.folds, other.folds)
    key = ["store_nbr", "item_nbr", "date"]
    both = one.holdout.merge(other.holdout, on=key, suffixes=("", "_changed"))
    assert len(both) > 20
    for column in (*FORECAST, *BASELINES):
        np.testing.assert_array_equal(both[column], both[f"{column}_changed"])
    assert (both["unit_sales"] != both["unit_sales_changed"]).any()


def test_no_fold_reads_what_comes_after_it(panel):
    folds = plan_cutoffs(panel, TrainingParameters()).folds
    oldest = panel.date_of(folds[-1])
    one = backtest(panel).folds
    other = backtest(scramble_sales_after(panel, folds[-1])).folds
    of_one = one[one["cutoff"] == oldest]
    of_other = other[other["cutoff"] == oldest]
    both = of_one.merge(of_other, on=["store_nbr", "item_nbr", "date"], suffixes=("", "_changed"))
    assert len(both) > 20
    np.testing.assert_array_equal(both["point"], both["point_changed"])


def test_the_final_model_reads_the_holdout(panel):
    holdout = plan_cutoffs(panel, TrainingParameters()).holdout
    changed = scramble_sales_after(panel, holdout)
    assert train(panel).final.to_files() != train(changed).final.to_files()


def test_the_holdout_is_the_last_days_and_the_folds_lie_before_it(panel):
    tested = backtest(panel, min_backtest_rows=0)
    assert tested.holdout["date"].max() == pd.Timestamp(panel.cutoff)
    assert tested.holdout["date"].nunique() <= 16
    assert tested.folds["date"].max() < tested.holdout["date"].min()
    assert tested.folds["cutoff"].nunique() == 4


def test_a_model_that_serves_several_folds_is_fitted_at_the_oldest(panel, caplog):
    given = {"backtest_folds": 4, "min_backtest_rows": 0}
    folds = plan_cutoffs(panel, TrainingParameters(**given)).folds
    with caplog.at_level("INFO"):
        backtest(panel, **given, backtest_fits=2)
    told = [record.getMessage() for record in caplog.records if "fitting" in record.getMessage()]
    assert told == [f"Backtest: fitting up to {panel.date_of(folds[i])}" for i in (1, 3)]


def test_the_folds_of_many_series_forecast_a_share_of_them(panel):
    folds = backtest(panel, max_backtest_rows=1000, backtest_folds=4).folds
    series = folds.groupby("cutoff")[["store_nbr", "item_nbr"]].apply(
        lambda rows: len(rows.drop_duplicates())
    )
    assert (series <= 1000 // (4 * 16)).all()


def test_quantiles_are_in_order_and_have_a_width(panel):
    tested = backtest(panel)
    for table in (tested.folds, tested.holdout):
        low, middle, high = (table[name] for name in QUANTILES)
        assert ((low <= middle) & (middle <= high)).all()
        assert (high > low).mean() > 0.9
        assert (table["interval_high"] > table["interval_low"]).mean() > 0.9


def test_the_quantiles_of_a_fold_come_from_the_other_folds(panel):
    """With one fold's sales changed after the fit, its own quantiles stay as they were."""
    newest = plan_cutoffs(panel, TrainingParameters()).folds[0]
    later = scramble_sales_after(panel, newest)
    one, other = backtest(panel).folds, backtest(later).folds
    cutoff = panel.date_of(newest)
    both = one[one["cutoff"] == cutoff].merge(
        other[other["cutoff"] == cutoff], on=["store_nbr", "item_nbr", "date"], suffixes=("", "_c")
    )
    assert (both["unit_sales"] != both["unit_sales_c"]).any()
    for name in (*QUANTILES, *INTERVAL):
        np.testing.assert_array_equal(both[name], both[f"{name}_c"])


def test_what_the_model_was_given_is_written_down(panel):
    trained = train(panel, model="random_forest", feature_set="workshop", seed=3)
    metadata = trained.metadata
    assert metadata["model"] == "random_forest"
    assert metadata["feature_set"] == "workshop"
    assert metadata["seed"] == 3
    assert metadata["settings"] == SMALL_MODELS["random_forest"]
    assert metadata["data_digest"] == panel.digest
    assert metadata["cutoff"] == str(panel.cutoff) == trained.final.cutoff
    assert metadata["holdout_cutoff"] == str(panel.date_of(panel.n_days - 17))
    assert metadata["holdout_cutoff"] == trained.holdout.cutoff
    assert metadata["metrics"] == {"nwrmsle": 0.5}


def test_the_input_example_can_be_forecast(panel):
    trained = train(panel)
    assert list(trained.input_example) == list(trained.final.feature_names)
    assert len(trained.final.predict_features(trained.input_example)) == 5


@pytest.mark.parametrize("model", ["lightgbm", "moving_average", "decision_tree"])
@pytest.mark.parametrize("n_days", [52, 60])
def test_weeks_of_history_are_enough(model, n_days):
    panel = make_panel(seed=4, n_stores=3, n_items=8, n_days=n_days)
    trained = train(panel, model=model)
    forecast = trained.final.forecast(panel, panel.n_days - 1, np.arange(1, 17))
    assert np.isfinite(forecast["point"]).all()


def test_a_day_fewer_than_needed_is_refused():
    with pytest.raises(DataShortageError, match="needs at least 52"):
        train(make_panel(n_days=51))


def test_sales_with_nothing_to_learn_from_are_refused_with_the_mend(panel):
    closed = replace(panel, open_days=np.zeros_like(panel.open_days))
    with pytest.raises(DataShortageError, match="give more days"):
        train(closed)


@pytest.mark.parametrize("horizon", [1, 7, 28])
def test_other_horizons_are_trained_and_scored(panel, horizon):
    tested = backtest(panel, horizon=horizon)
    assert tested.holdout["step"].max() == horizon
    assert tested.folds["step"].max() == horizon


def test_a_world_of_one_series_is_trained():
    panel = make_panel(seed=1, n_stores=1, n_items=1, n_days=120)
    panel = replace(panel, series=panel.series.assign(first_sale=0))
    forecast = train(panel).final.forecast(panel, 119, np.arange(1, 17))
    assert len(forecast) == 16
