"""The monitoring pipeline on a catalog in memory, from a real training to the web app's reader."""

import json

import numpy as np
import polars as pl
import pytest

from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.datasets import EventsDataset, ForecastArchiveDataset
from grocery_demand.pipelines import forecasting, monitoring, training
from grocery_demand.pipelines.forecasting.nodes import ForecastingParameters
from grocery_demand.serving.monitoring_summary import Summary
from runs import run_pipeline
from worlds import SMALL_MODELS, make_panel

TRAINED_DAYS, LIVED_DAYS = 150, 30
NO_EVENTS = EventsDataset(filepath="no/such/file.db").load()


@pytest.fixture(scope="module")
def panel():
    return make_panel(seed=5, n_stores=4, n_items=25, n_days=TRAINED_DAYS + LIVED_DAYS)


def train(panel, model: str) -> ModelVersion:
    contents = {
        "panel": panel.until(TRAINED_DAYS - 1),
        "params:training": TrainingParameters(model=model, max_training_rows=3000),
        "params:model_settings": SMALL_MODELS,
    }
    return ModelVersion(4, run_pipeline(training.create_pipeline(), contents)["challenger"], "run")


@pytest.fixture(scope="module")
def champion(panel) -> ModelVersion:
    return train(panel, "lightgbm")


def forecast(champion, panel) -> dict[str, object]:
    contents = {
        "champion": champion,
        "panel": panel,
        "params:forecasting": ForecastingParameters(),
        "params:monitoring": MonitoringParameters(),
    }
    return run_pipeline(forecasting.create_forecasts_pipeline(), contents)


@pytest.fixture(scope="module")
def archive(tmp_path_factory, champion, panel) -> pl.LazyFrame:
    return keep(tmp_path_factory.mktemp("archive"), champion, panel, TRAINED_DAYS + LIVED_DAYS)


def keep(folder, champion, panel, n_days: int) -> pl.LazyFrame:
    """Forecast each day from the training on, as the daily job does."""
    dataset = ForecastArchiveDataset(filepath=str(folder))
    for day in range(TRAINED_DAYS - 1, n_days):
        dataset.save(forecast(champion, panel.until(day))["forecast_archive"])
    return dataset.load()


def monitor(champion, panel, archive=None, events=NO_EVENTS, **changes) -> dict[str, object]:
    empty = ForecastArchiveDataset(filepath="no/such/folder").load()
    contents = {
        "champion": champion,
        "panel": panel,
        "forecasts": forecast(champion, panel)["forecasts"],
        "forecast_archive": empty if archive is None else archive,
        "events": events,
        "new_data_report": None,
        "former_monitoring": None,
        "newest_training": str(champion.model.metadata["cutoff"]),
        "params:monitoring": MonitoringParameters(),
    } | changes
    return run_pipeline(monitoring.create_pipeline(), contents)


@pytest.fixture(scope="module")
def fresh(champion, panel) -> dict[str, object]:
    """On the day of the training: nothing arrived, nothing served."""
    return monitor(champion, panel.until(TRAINED_DAYS - 1))


@pytest.fixture(scope="module")
def lived(champion, panel, archive) -> dict[str, object]:
    """After a month of sales."""
    return monitor(champion, panel, archive)


def state(made: dict[str, object], name: str) -> str:
    checks = made["monitored_checks"].set_index("name")["state"]
    return checks[name]


def test_a_fresh_model_is_kept_and_what_is_not_known_yet_is_unknown(fresh):
    assert fresh["retraining_advice"]["decision"] == "keep"
    for name in ("error against the backtest", "columns of the sales", "features as served"):
        assert state(fresh, name) == "unknown"


def test_forecasts_are_scored_as_their_sales_arrive(lived, panel):
    windows = lived["monitored_live_windows"]
    assert str(windows["date"].iloc[-1])[:10] == str(panel.cutoff)
    assert np.isfinite(windows[["nwrmsle", "moving_average", "promised", "bar"]]).all(axis=None)
    scores = lived["monitored_live_scores"]
    assert {"total", "step", "family", "type", "size"} <= set(scores["slice"])
    steps = scores[scores["slice"] == "step"]
    assert set(steps["value"].astype(int)) == set(range(1, 17))


@pytest.mark.parametrize("made", ["fresh", "lived"])
def test_the_web_app_reads_the_summary(made, request):
    summary = request.getfixturevalue(made)["monitoring_summary"]
    written = json.loads(json.dumps({"made_at": "2026-11-24T00:00:00Z"} | summary, allow_nan=False))
    read = Summary.model_validate(written)
    assert read.model_version == 4
    assert len(read.checks) == len(summary["checks"])
    assert len(read.live_error) == len(summary["live_error"])


@pytest.mark.parametrize("made", ["fresh", "lived"])
def test_every_figure_is_drawn(made, request):
    figures = [n for n in request.getfixturevalue(made) if n.endswith("_figure")]
    assert len(figures) == 7
    for name in figures:
        assert request.getfixturevalue(made)[name].to_plotly_json()["layout"]["title"]["text"]


def test_states_keep_their_first_day_until_they_change(champion, panel, archive, lived):
    summary = lived["monitoring_summary"]
    former = summary | {
        "checks": [check | {"since": "2015-01-01"} for check in summary["checks"]],
        "advice": summary["advice"] | {"since": "2015-01-01"},
    }
    again = monitor(champion, panel, archive, former_monitoring=former)
    assert set(again["monitored_checks"]["since"]) == {"2015-01-01"}
    assert again["retraining_advice"]["since"] == "2015-01-01"
    other = monitor(champion, panel, archive, former_monitoring=former | {"model_version": 3})
    assert set(other["monitored_checks"]["since"]) == {str(panel.cutoff)}


def test_a_refused_file_is_advice_to_check_the_feed(champion, panel, archive):
    file = {"file": "train-2017-06-01.csv", "status": "refused", "reason": "unreadable"}
    report = {"files": [file], "rows_read": 10, "rows_quarantined": 0}
    made = monitor(champion, panel, archive, new_data_report=report)
    assert made["retraining_advice"]["decision"] == "check_feed"
    assert made["monitoring_summary"]["files"] == [file]


@pytest.mark.parametrize("model", ["decision_tree", "seasonal_naive"])
def test_models_without_promise_or_explanation_are_monitored_too(panel, tmp_path, model):
    champion = train(panel, model)
    del champion.model.metadata["promise"]
    archive = keep(tmp_path, champion, panel, TRAINED_DAYS + 6)
    made = monitor(champion, panel.until(TRAINED_DAYS + 6), archive)
    for name in (
        "error against the backtest",
        "what forecasts rest on",
        "distribution of forecasts",
    ):
        assert state(made, name) == "unknown"
    assert state(made, "error beside the baseline") in ("ok", "watch")
    assert len(made["monitored_live_windows"]) == 5
    assert made["monitored_live_windows"]["bar"].isna().all()
    assert made["retraining_advice"]["decision"] != "check_feed"


def test_metrics_of_the_run_count_the_states(lived):
    counted = {k: v for k, v in lived["monitoring_metrics"].items() if k.startswith("checks_")}
    assert sum(counted.values()) == len(lived["monitored_checks"])
