"""The forecasting pipeline on a catalog in memory: forecasts, and Kaggle's submission."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from grocery_demand.core.errors import ParameterError
from grocery_demand.core.forecaster import FORECAST
from grocery_demand.core.intervals import INTERVAL, QUANTILES
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.rollout import Rollout, ServedChallenger
from grocery_demand.pipelines.forecasting import create_pipeline
from grocery_demand.pipelines.forecasting.nodes import ForecastingParameters, StaleForecastError
from runs import run_pipeline
from worlds import make_panel

NO_PLAN = pd.DataFrame({name: [] for name in ("id", "date", "store_nbr", "item_nbr")}).astype(
    {"id": "int64", "date": "datetime64[ms]", "store_nbr": "int32", "item_nbr": "int32"}
)


def forecast(
    training, panel, plan=NO_PLAN, horizon=16, max_series=10_000, challenger=None
) -> dict[str, object]:
    """Forecast with what a training made, as version 7."""
    contents = {
        "champion": ModelVersion(7, training["challenger"], "run 7"),
        "served_challenger": challenger,
        "panel": panel,
        "params:forecasting": ForecastingParameters(horizon=horizon),
        "params:monitoring": MonitoringParameters(max_series=max_series),
        "promotion_plan": plan,
    }
    return run_pipeline(create_pipeline(), contents)


def plan_of(panel, pairs, days) -> pd.DataFrame:
    """Plan some series (by position) on some days after the last sales, as test.csv does."""
    rows = [(panel.series.iloc[row], day) for row, day in zip(pairs, days, strict=True)]
    return pd.DataFrame(
        {
            "id": np.arange(125_497_040, 125_497_040 + len(rows)),
            "date": pd.to_datetime([str(panel.cutoff + day) for _, day in rows]),
            "store_nbr": np.array([series["store_nbr"] for series, _ in rows], np.int32),
            "item_nbr": np.array([series["item_nbr"] for series, _ in rows], np.int32),
            "onpromotion": False,
        }
    )


@pytest.fixture(scope="module")
def forecasts(lightgbm, panel) -> pd.DataFrame:
    return forecast(lightgbm, panel)["forecasts"]


def test_every_series_is_forecast_on_every_day_of_the_horizon(forecasts, panel):
    dates = [pd.Timestamp(str(panel.cutoff + day)) for day in range(1, 17)]
    expected = [
        (series.store_nbr, series.item_nbr, date, step)
        for series in panel.series.itertuples()
        for step, date in enumerate(dates, 1)
    ]
    keys = forecasts[["store_nbr", "item_nbr", "date", "step"]]
    assert list(keys.itertuples(index=False, name=None)) == expected


def test_forecasts_have_quantiles_in_order_and_their_models_version(forecasts):
    assert list(forecasts) == [
        *("store_nbr", "item_nbr", "date", "step", "long_range"),
        *(*FORECAST, "model_version"),
    ]
    values = forecasts[list(QUANTILES)].to_numpy()
    assert (np.diff(values, axis=1) >= 0).all()
    assert (np.diff(values, axis=1) > 0).any()
    assert (forecasts[list(FORECAST)] >= 0).all(axis=None)
    low, high = (forecasts[name] for name in INTERVAL)
    assert (low <= forecasts["quantile_0.5"]).all()
    assert (forecasts["quantile_0.5"] <= high).all()
    assert set(forecasts["model_version"]) == {"7"}


def test_the_final_fit_forecasts_from_the_last_day_of_the_sales(forecasts, lightgbm, panel):
    final = lightgbm["challenger"].final
    expected = final.forecast(panel, panel.n_days - 1, np.arange(1, 17))
    np.testing.assert_array_equal(forecasts["point"], expected["point"])
    holdout = lightgbm["challenger"].holdout
    assert not np.array_equal(
        forecasts["point"], holdout.forecast(panel, panel.n_days - 1, np.arange(1, 17))["point"]
    )


def test_forecasts_come_back_from_parquet_as_they_were(forecasts, tmp_path):
    forecasts.to_parquet(tmp_path / "forecasts.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "forecasts.parquet"), forecasts)


@pytest.mark.parametrize("horizon", [1, 30])
def test_another_horizon_forecasts_so_many_days(lightgbm, panel, forecasts, horizon):
    table = forecast(lightgbm, panel, horizon=horizon)["forecasts"]
    assert (
        table.groupby(["store_nbr", "item_nbr"])["step"]
        .apply(list)
        .map(lambda steps: steps == list(range(1, horizon + 1)))
        .all()
    )
    both = table.merge(forecasts, on=["store_nbr", "item_nbr", "date"], suffixes=("", "_16"))
    assert len(both) == len(panel.series) * min(horizon, 16)
    np.testing.assert_array_equal(both["point"], both["point_16"])


@pytest.mark.parametrize("horizon", [0, 367])
def test_a_horizon_that_makes_no_sense_is_refused(horizon):
    with pytest.raises(ParameterError, match=r"`forecasting\.horizon` is .*1 to 366"):
        ForecastingParameters(horizon=horizon)


def test_the_submission_answers_the_plan_row_by_row_in_its_order(lightgbm, panel, forecasts):
    plan = plan_of(panel, pairs=[5, 0, 3, 0, 5], days=[16, 1, 7, 2, 1]).sample(
        frac=1, random_state=3
    )
    submission = forecast(lightgbm, panel, plan)["submission"]
    by_key = forecasts.set_index(["store_nbr", "item_nbr", "date"])["point"]
    expected = [
        round(float(by_key[row.store_nbr, row.item_nbr, row.date]), 4) for row in plan.itertuples()
    ]
    assert list(submission) == ["id", "unit_sales"]
    assert submission["id"].tolist() == plan["id"].tolist()
    assert submission["unit_sales"].tolist() == pytest.approx(expected, abs=1e-9)
    assert len(set(expected)) == 5


def test_without_a_plan_the_submission_is_empty(lightgbm, panel, caplog):
    made = forecast(lightgbm, panel, NO_PLAN)
    assert list(made["submission"]) == ["id", "unit_sales"]
    assert made["submission"].empty
    assert len(made["forecasts"]) == len(panel.series) * 16
    assert "Submission: empty, as there is no promotion plan (test.csv)." in caplog.messages


def test_rows_of_the_plan_outside_of_the_horizon_are_left_out_and_counted(lightgbm, panel, caplog):
    plan = plan_of(panel, pairs=[1, 1, 1, 1, 1], days=[0, 1, 4, 5, 70_000])
    submission = forecast(lightgbm, panel, plan, horizon=4)["submission"]
    assert submission["id"].tolist() == plan["id"][[1, 2]].tolist()
    left_out = [text for text in caplog.messages if "left out" in text]
    assert len(left_out) == 1
    assert "3 rows of the promotion plan left out" in left_out[0]
    assert f"{panel.cutoff + 1} … {panel.cutoff + 4}" in left_out[0]


def test_a_plan_within_the_horizon_is_answered_without_a_warning(lightgbm, panel, caplog):
    forecast(lightgbm, panel, plan_of(panel, pairs=[1, 2], days=[1, 16]))
    assert [r.message for r in caplog.records if r.levelname == "WARNING"] == []


def test_planned_pairs_without_a_forecast_are_counted_and_the_mend_is_said(lightgbm, panel):
    plan = plan_of(panel, pairs=[0, 1, 1, 2], days=[1, 1, 2, 3])
    plan.loc[plan.index > 0, "item_nbr"] += 1
    store, item = plan[["store_nbr", "item_nbr"]].iloc[1]
    with pytest.raises(StaleForecastError) as caught:
        forecast(lightgbm, panel, plan)
    told = str(caught.value)
    assert told.startswith("2 pairs of store and item in the promotion plan have no forecast")
    assert f"as store {store}, item {item}:" in told
    assert told.endswith("kedro run --pipelines preprocess,forecast")


def test_a_missing_pair_outside_of_the_horizon_hurts_nobody(lightgbm, panel):
    plan = plan_of(panel, pairs=[0, 1], days=[1, 90])
    plan.loc[1, "item_nbr"] += 1
    assert len(forecast(lightgbm, panel, plan)["submission"]) == 1


def test_the_forecasts_within_the_horizon_are_kept_with_cutoff_and_baselines(lightgbm, panel):
    made = forecast(lightgbm, panel, horizon=30)
    kept, forecasts = made["forecast_archive"], made["forecasts"]
    near = forecasts[~forecasts["long_range"]].reset_index(drop=True)
    assert kept["step"].max() == 16
    columns = ["store_nbr", "item_nbr", "date", "step", *FORECAST]
    pd.testing.assert_frame_equal(kept[columns].reset_index(drop=True), near[columns])
    assert set(kept["model_version"]) == {7}
    assert {str(day)[:10] for day in kept["cutoff"]} == {str(panel.cutoff)}
    assert kept[["seasonal_naive", "moving_average"]].notna().all(axis=None)


def test_of_too_many_series_the_same_ones_are_kept_every_day(lightgbm):
    panel = make_panel(seed=2, n_stores=3, n_items=60, n_days=60)
    assert len(panel.series) > 120
    later = make_panel(seed=2, n_stores=3, n_items=60, n_days=70)
    kept = [
        set(forecast(lightgbm, p, max_series=100)["forecast_archive"]
            .groupby(["store_nbr", "item_nbr"]).groups)
        for p in (panel, later)
    ]  # fmt: skip
    assert len(kept[0]) == 100
    assert kept[0] == kept[1]


def beside(model) -> ServedChallenger:
    """Return a model as version 8, served as canary."""
    rollout = Rollout(8, None, "canary", 0.1, "2026-11-24T12:00:00+00:00")
    return ServedChallenger(ModelVersion(8, model), rollout)


def test_forecasts_of_a_challenger_that_is_served_are_kept_beside(lightgbm, seasonal_naive, panel):
    alone = forecast(lightgbm, panel, horizon=30)
    both = forecast(lightgbm, panel, horizon=30, challenger=beside(seasonal_naive["challenger"]))
    pd.testing.assert_frame_equal(both["forecasts"], alone["forecasts"])
    ours, theirs = (
        both["forecast_archive"].query(f"model_version == {number}").reset_index(drop=True)
        for number in (7, 8)
    )
    pd.testing.assert_frame_equal(ours, alone["forecast_archive"].reset_index(drop=True))
    key = ["store_nbr", "item_nbr", "date", "step", "cutoff"]
    pd.testing.assert_frame_equal(theirs[key], ours[key])
    np.testing.assert_array_equal(theirs["point"], theirs["seasonal_naive"])


def test_a_challenger_that_cannot_forecast_is_told_and_harms_nothing(lightgbm, panel, caplog):
    broken = replace(lightgbm["challenger"], final=None)
    made = forecast(lightgbm, panel, challenger=beside(broken))
    assert set(made["forecast_archive"]["model_version"]) == {7}
    assert "Version 8, the challenger, cannot forecast" in caplog.text
