"""A forecaster says the same in whatever company a row comes, and after it was put away."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.errors import ModelFileError
from grocery_demand.core.features import Snapshot
from grocery_demand.core.forecaster import FORECAST, Forecaster
from grocery_demand.core.intervals import QUANTILES
from grocery_demand.core.models import MODELS
from grocery_demand.core.panel import Panel
from grocery_demand.core.spread import SPREAD_FEATURES
from grocery_demand.core.trained_model import TrainedModel
from grocery_demand.core.training import fit_final_model, run_backtest
from worlds import SMALL_MODELS, make_panel, set_series

STEPS = np.arange(1, 17)
COLUMNS = [
    *("store_nbr", "item_nbr", "date", "step"),
    *FORECAST,
    *("seasonal_naive", "moving_average"),
    *(name for name in SPREAD_FEATURES if name not in ("step", "moving_average")),
]


def train(panel: Panel, model: str) -> TrainedModel:
    training = TrainingParameters(model=model, max_training_rows=3000)
    tested = run_backtest(panel, training, SMALL_MODELS[model])
    return fit_final_model(panel, training, SMALL_MODELS[model], tested, {"nwrmsle": 0.5})


@pytest.fixture(scope="module")
def trained(panel) -> dict[str, TrainedModel]:
    return {model: train(panel, model) for model in MODELS}


@pytest.fixture(scope="module")
def forecaster(trained) -> Forecaster:
    return trained["lightgbm"].final


def test_one_row_per_series_and_step_the_steps_of_a_series_together(panel, forecaster):
    table = forecaster.forecast(panel, panel.n_days - 1, STEPS)
    assert list(table) == COLUMNS
    assert len(table) == len(panel.series) * 16
    assert table["step"].tolist() == STEPS.tolist() * len(panel.series)
    assert table["item_nbr"].tolist() == np.repeat(panel.series["item_nbr"], 16).tolist()
    first, last = table["date"].iloc[[0, 15]]
    assert (first, last) == (
        pd.Timestamp(panel.date_of(panel.n_days)),
        pd.Timestamp(panel.date_of(panel.n_days + 15)),
    )


@pytest.mark.parametrize("model", MODELS)
def test_forecasts_are_units_never_below_zero_and_quantiles_never_cross(panel, trained, model):
    table = trained[model].final.forecast(panel, panel.n_days - 1, STEPS)
    values = table[list(FORECAST)].to_numpy()
    assert np.isfinite(values).all()
    assert (values >= 0).all()
    assert (np.diff(table[list(QUANTILES)].to_numpy(), axis=1) >= 0).all()


@pytest.mark.parametrize("model", MODELS)
def test_one_series_and_day_alone_are_forecast_bit_for_bit_as_among_all(panel, trained, model):
    final, day = trained[model].final, panel.n_days - 1
    together = final.forecast(panel, day, STEPS)
    for row, step in ((0, 1), (3, 16), (len(panel.series) - 1, 9)):
        alone = final.forecast(panel, day, np.array([step]), np.array([row]))
        expected = together.iloc[[row * 16 + step - 1]].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, expected, check_exact=True)


def test_more_series_than_are_forecast_at_once_change_nothing(panel, forecaster):
    day, steps = panel.n_days - 1, np.array([2])
    rows = np.resize(np.arange(len(panel.series)), 20_003)
    table = forecaster.forecast(panel, day, steps, rows)
    expected = forecaster.forecast(panel, day, steps).iloc[rows].reset_index(drop=True)
    pd.testing.assert_frame_equal(table, expected, check_exact=True)


def test_a_forecast_from_a_past_day_ignores_what_was_sold_since(panel, forecaster):
    one = forecaster.forecast(panel, 150, STEPS)
    other = forecaster.forecast(panel.until(150), 150, STEPS)
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_features_given_as_a_table_are_forecast_as_those_of_the_panel(panel, forecaster):
    day, row = panel.n_days - 1, np.array([4])
    names = forecaster.feature_names
    matrix = Snapshot(panel, day).features(forecaster.encoding, STEPS, names, row)
    table = forecaster.predict_features(pd.DataFrame(matrix, columns=list(names)))
    expected = forecaster.forecast(panel, day, STEPS, row)[list(FORECAST)]
    pd.testing.assert_frame_equal(table, expected, check_exact=True)


def test_the_order_of_a_tables_columns_does_not_matter(trained):
    example = trained["lightgbm"].input_example
    forecaster = trained["lightgbm"].final
    reversed_ = example[example.columns[::-1]]
    pd.testing.assert_frame_equal(
        forecaster.predict_features(example), forecaster.predict_features(reversed_)
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_model_read_back_forecasts_the_same_and_has_the_same_files(panel, trained, model):
    files = trained[model].to_files()
    restored = TrainedModel.from_files(files)
    assert restored.to_files() == files
    assert restored.digest == trained[model].digest
    assert restored.metadata == trained[model].metadata
    pd.testing.assert_frame_equal(restored.input_example, trained[model].input_example)
    for part in ("final", "holdout"):
        one = getattr(trained[model], part).forecast(panel, 180, STEPS)
        other = getattr(restored, part).forecast(panel, 180, STEPS)
        pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.parametrize("model", MODELS)
def test_no_file_of_a_model_is_a_pickle(trained, model):
    for name, contents in trained[model].to_files().items():
        assert name.endswith((".json", ".lgb", ".skops"))
        assert not contents.startswith(b"\x80")


def test_json_files_can_be_read_by_any_reader_of_json(trained):
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    for name, contents in trained["lightgbm"].to_files().items():
        if name.endswith(".json"):
            json.loads(contents, parse_constant=refuse)


def test_the_digest_ignores_what_says_nothing_of_the_fit(trained):
    model = trained["lightgbm"]
    assert replace(model, metadata={"trained_at": "today"}).digest == model.digest
    assert replace(model, final=model.holdout).digest != model.digest


def test_a_model_from_before_intervals_were_kept_apart_from_quantiles_is_refused(trained):
    files = dict(trained["lightgbm"].to_files())
    description = json.loads(files["final/forecaster.json"])
    del description["intervals"]["tail"]
    files["final/forecaster.json"] = json.dumps(description).encode()
    with pytest.raises(ModelFileError, match=r"'tail'.*written by another version"):
        TrainedModel.from_files(files)


def test_a_damaged_scikit_model_is_refused(trained):
    files = dict(trained["decision_tree"].to_files())
    files["final/model.skops"] = trained["decision_tree"].to_files()["final/model.skops"][:100]
    with pytest.raises(ModelFileError):
        TrainedModel.from_files(files)


@pytest.mark.parametrize("model", MODELS)
def test_words_never_seen_when_fitting_are_forecast_all_the_same(panel, trained, model):
    final, day = trained[model].final, panel.n_days - 1
    new = set_series(panel, 0, family="NEW FAMILY", city="New City", state="New", type="Z")
    table = final.forecast(new, day, STEPS)
    known = final.forecast(panel, day, STEPS)
    assert np.isfinite(table["point"]).all()
    others = panel.series["family"] != panel.series["family"][0]
    rows = np.repeat(others.to_numpy() & (panel.series.index != 0), 16)
    np.testing.assert_array_equal(table["point"][rows], known["point"][rows])


def test_a_model_keeps_its_words_whatever_it_forecasts(panel, trained):
    final = trained["lightgbm"].final
    before = final.to_files()
    final.forecast(set_series(panel, 0, family="AAA NEW"), panel.n_days - 1, STEPS)
    assert final.to_files() == before


@pytest.mark.parametrize("model", ["lightgbm", "random_forest", "moving_average"])
def test_an_item_never_sold_in_a_store_is_forecast_if_its_class_sells_there(model):
    panel = make_panel(seed=2, n_stores=3, n_items=8, n_days=200, mean_units=20)
    row = next(
        i
        for i, series in panel.series.iterrows()
        if (panel.series[["class", "store_nbr"]] == series[["class", "store_nbr"]])
        .all(axis=1)
        .sum()
        > 1
    )
    units, promotions = panel.units.copy(), panel.promotions.copy()
    units[row], promotions[row, : panel.n_days] = 0, 0
    first_sale = panel.series["first_sale"].to_numpy().copy()
    first_sale[row] = panel.n_days
    panel = replace(
        panel,
        units=units,
        promotions=promotions,
        series=panel.series.assign(first_sale=first_sale),
    )
    final = train(panel, model).final
    table = final.forecast(panel, panel.n_days - 1, STEPS, np.array([row]))
    assert (table["point"] > 0.2).all()
    assert table["quantile_0.9"].gt(table["quantile_0.1"]).all()


def test_days_up_to_a_year_ahead_are_forecast(panel, forecaster):
    table = forecaster.forecast(panel, panel.n_days - 1, np.array([17, 100, 366]))
    assert np.isfinite(table["point"]).all()
