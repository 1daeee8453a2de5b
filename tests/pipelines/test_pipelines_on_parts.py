"""The pipelines make of a panel in parts what they make of the whole."""

import pandas as pd
import pytest

from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.gate import GateParameters
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.parts import PanelParts
from grocery_demand.core.rollout import RolloutParameters
from grocery_demand.core.table_parts import Table, gather_table
from grocery_demand.pipelines import forecasting, promotion, training
from grocery_demand.pipelines.forecasting.nodes import (
    ForecastingParameters,
    StaleForecastError,
    forecast_series,
    make_submission,
)
from parted import PartedPanel, PartedTable
from reports import NO_PLAN, report
from runs import run_pipeline
from worlds import SMALL_MODELS


@pytest.fixture(scope="module")
def parted(panel) -> PartedPanel:
    return PartedPanel(panel, [1])


def test_a_panel_in_parts_is_trained_on_as_the_whole_is(parted, seasonal_naive):
    contents = {
        "panel": parted,
        "params:training": TrainingParameters(model="seasonal_naive", max_training_rows=3000),
        "params:model_settings": SMALL_MODELS,
    }
    made = run_pipeline(training.create_pipeline(), contents)
    assert made["challenger_identity"] == seasonal_naive["challenger_identity"]
    assert made["metrics"] == seasonal_naive["metrics"]
    pd.testing.assert_frame_equal(made["scores"], seasonal_naive["scores"])


def test_a_challenger_is_judged_on_parts_as_on_the_whole(panel, parted, lightgbm, seasonal_naive):
    judged = {
        "challenger": ModelVersion(3, lightgbm["challenger"], "0123abcd"),
        "challenger_identity": lightgbm["challenger_identity"],
        "incumbent": ModelVersion(2, seasonal_naive["challenger"], "4567ef00"),
        "holdout_forecasts": lightgbm["holdout_forecasts"],
        "params:gate": GateParameters(max_nwrmsle=2.0),
        "params:rollout": RolloutParameters(),
    }
    whole, parts = (
        run_pipeline(promotion.create_pipeline(), judged | {"panel": each})["verdict"]
        for each in (panel, parted)
    )
    assert parts == whole
    assert any(check["kind"] == "champion" for check in parts["checks"])


def test_parts_are_forecast_as_the_whole_is(panel, parted, lightgbm):
    version = ModelVersion(3, lightgbm["challenger"], "0123abcd")
    contents = {
        "champion": version,
        "served_challenger": None,
        "params:forecasting": ForecastingParameters(horizon=20),
        "params:monitoring": MonitoringParameters(),
        "promotion_plan": NO_PLAN,
    }
    whole, parts = (
        run_pipeline(forecasting.create_pipeline(), contents | {"panel": each})
        for each in (panel, parted)
    )
    assert isinstance(parts["forecasts"], PartedTable)
    pd.testing.assert_frame_equal(gather_table(parts["forecasts"]), whole["forecasts"])
    pd.testing.assert_frame_equal(parts["forecast_archive"], whole["forecast_archive"])


def test_the_submission_of_forecasts_in_parts_is_that_of_the_whole(panel, parted, lightgbm):
    keys = panel.series[["store_nbr", "item_nbr"]].iloc[::-1].iloc[:20]
    plan = keys.assign(id=range(20), date=pd.Timestamp(str(panel.cutoff + 3)))
    champion = ModelVersion(3, lightgbm["challenger"], "0123abcd")
    whole, parts = (make_submission(_forecast(champion, each), plan) for each in (panel, parted))
    pd.testing.assert_frame_equal(parts, whole)
    unknown = plan.assign(item_nbr=-1)
    with pytest.raises(StaleForecastError, match="item -1"):
        make_submission(_forecast(champion, parted), unknown)


def _forecast(champion: ModelVersion, panel: PanelParts) -> Table:
    return forecast_series(champion, None, panel, ForecastingParameters(), MonitoringParameters())[
        0
    ]


def test_the_figures_over_time_show_the_same_series_and_totals(parts, parted, made):
    whole = parts["forecasts"]
    middle = int(parted.bounds[1]) * whole["step"].nunique()
    table = PartedTable([whole.iloc[:middle], whole.iloc[middle:]])
    again = report(parts | {"panel": parted, "forecasts": table})
    name = "forecast_examples_figure"
    assert again[name].to_json() == made[name].to_json()
    totals = (each["total_sales_figure"].data for each in (again, made))
    for one, other in zip(*totals, strict=True):
        assert one.x == other.x
        assert one.y == pytest.approx(other.y, rel=1e-5)
