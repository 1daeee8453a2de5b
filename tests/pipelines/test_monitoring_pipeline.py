"""The monitoring pipeline on a catalog in memory, from a real training to the web app's reader."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from mlflow.utils.validation import _validate_metric
from sqlalchemy import insert

from event_rows import make_row
from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.features import Snapshot
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.rollout import Rollout, ServedChallenger
from grocery_demand.datasets import EventsDataset, ForecastArchiveDataset
from grocery_demand.pipelines import forecasting, monitoring, training
from grocery_demand.pipelines.forecasting.nodes import ForecastingParameters
from grocery_demand.pipelines.monitoring.advice_nodes import name_metric
from grocery_demand.serving.monitoring_summary import Summary
from grocery_demand.storage.event_tables import PREDICTIONS, open_database
from runs import run_pipeline
from worlds import SMALL_MODELS, make_panel

TRAINED_DAYS, LIVED_DAYS = 150, 30
NO_EVENTS = EventsDataset(filepath="no/such/file.db").load()


@pytest.fixture(scope="module")
def panel():
    return make_panel(seed=5, n_stores=4, n_items=25, n_days=TRAINED_DAYS + LIVED_DAYS)


def train(panel, model: str) -> ModelVersion:
    contents = {
        "panel": panel,
        "params:training": TrainingParameters(model=model, max_training_rows=3000),
        "params:model_settings": SMALL_MODELS,
    }
    return ModelVersion(4, run_pipeline(training.create_pipeline(), contents)["challenger"], "run")


@pytest.fixture(scope="module")
def champion(panel) -> ModelVersion:
    return train(panel.until(TRAINED_DAYS - 1), "lightgbm")


def forecast(champion, panel, challenger=None) -> dict[str, object]:
    contents = {
        "champion": champion,
        "served_challenger": challenger,
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
        "served_challenger": None,
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


def read(made: dict[str, object]) -> Summary:
    """Return the summary as the web app reads it from the file."""
    dated = {"made_at": "2026-11-24T00:00:00Z"} | made["monitoring_summary"]
    return Summary.model_validate(json.loads(json.dumps(dated, allow_nan=False)))


def test_the_event_log_is_read_once_so_that_all_checks_see_the_same():
    nodes = monitoring.create_pipeline().nodes
    assert [node.name for node in nodes if "events" in node.inputs] == ["checks.take_events"]


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
    made = request.getfixturevalue(made)
    summary, shown = made["monitoring_summary"], read(made)
    assert shown.model_version == 4
    assert len(shown.checks) == len(summary["checks"])
    assert len(shown.live_error) == len(summary["live_error"])


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
    assert again["retraining_advice"]["former_version"] is None
    taken_over = {"champion_since": str(panel.cutoff), "former_version": 3}
    assert taken_over.items() <= other["retraining_advice"].items()


def test_a_refused_file_is_advice_to_check_the_feed(champion, panel, archive):
    file = {"file": "train-2017-06-01.csv", "status": "refused", "reason": "unreadable"}
    report = {"files": [file], "rows_read": 10, "rows_quarantined": 0}
    made = monitor(champion, panel, archive, new_data_report=report)
    assert made["retraining_advice"]["decision"] == "check_feed"
    assert made["monitoring_summary"]["files"] == [file]


def test_a_wrong_day_moves_neither_error_nor_drift_and_that_is_said(champion, panel, archive):
    until = panel.until(TRAINED_DAYS + 9)
    wrong = TRAINED_DAYS + 5
    units = until.units.copy()
    units[:, wrong] *= 1000
    made = monitor(champion, replace(until, units=units), archive)
    assert made["retraining_advice"]["decision"] == "check_feed"
    date = str(until.date_of(wrong))
    days = {str(day)[:10] for day in made["monitored_live_windows"]["date"]}
    assert str(until.cutoff) in days
    assert date not in days
    details = made["monitored_checks"].set_index("name")["detail"]
    for name in ("error against the backtest", "columns of the sales"):
        told = details[name].partition(" Left out, as data health says that they are wrong: ")[2]
        assert date in told


@pytest.mark.parametrize("model", ["decision_tree", "seasonal_naive"])
def test_models_without_promise_or_explanation_are_monitored_too(panel, tmp_path, model):
    champion = train(panel.until(TRAINED_DAYS - 1), model)
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
    # Seven days; one of them is wrong, and the first two make no window yet.
    assert len(made["monitored_live_windows"]) == 4
    assert made["monitored_live_windows"]["bar"].isna().all()
    half_closed = "Data health: 50% of the stores sold nothing on 2015-11-01."
    assert made["retraining_advice"]["reasons"] == [half_closed]


@pytest.fixture(scope="module")
def challenger(panel) -> ServedChallenger:
    """A decision tree that is trained on the same days as the champion, as canary."""
    version = train(panel.until(TRAINED_DAYS - 1), "decision_tree")
    version = replace(version, number=5)
    return ServedChallenger(version, Rollout(5, "run", "canary", 0.1, "2026-11-24T12:00:00+00:00"))


def test_a_challenger_is_compared_on_the_forecasts_that_both_made(
    champion, panel, challenger, tmp_path
):
    dataset = ForecastArchiveDataset(filepath=str(tmp_path))
    for day in range(TRAINED_DAYS - 1, TRAINED_DAYS + LIVED_DAYS):
        both = day % 2 == 0
        made = forecast(champion, panel.until(day), challenger if both else None)
        dataset.save(made["forecast_archive"])
    made = monitor(champion, panel, dataset.load(), served_challenger=challenger)
    shown = read(made).challenger
    assert (shown.model_version, shown.mode) == (5, "canary")
    scores = made["monitored_live_scores"].set_index("slice").loc["total"]
    assert 0.4 < shown.live.rows / scores["rows"] < 0.6
    assert shown.live.lower < shown.live.difference < shown.live.upper
    assert {row.measure for row in shown.measures} >= {"nwrmsle", "bias", "requests"}
    assert shown.differences.rows > 0
    assert state(made, "error beside the champion") in ("ok", "alarm")
    assert state(made, "forecasts not made") == "unknown"
    table = made["monitored_challenger"].set_index("measure")
    assert table.loc["nwrmsle", "challenger"] == pytest.approx(shown.live.challenger, abs=1e-4)


def test_without_a_challenger_nothing_is_said_of_one(lived):
    assert read(lived).challenger is None
    assert "challenger" not in set(lived["monitored_checks"]["area"])
    assert lived["monitored_challenger"].empty


def test_metrics_of_the_run_count_the_states(lived):
    counted = {k: v for k, v in lived["monitoring_metrics"].items() if k.startswith("checks_")}
    assert sum(counted.values()) == len(lived["monitored_checks"])
    assert set(counted) == {"checks_alarm", "checks_watch", "checks_unknown", "checks_ok"}


def test_metrics_of_the_run_hold_the_value_of_each_check(lived):
    checks = lived["monitored_checks"].dropna(subset=["value"])
    values = {name_metric(c.name): c.value for c in checks.itertuples(index=False)}
    for name, value in values.items():
        _validate_metric(name, value, timestamp=0, step=0)
    assert {k: v for k, v in lived["monitoring_metrics"].items() if "/" in k} == values
    assert 0.5 < values["check/coverage_of_intervals"] < 1
    error = values["check/error_against_the_backtest"]
    assert lived["monitoring_metrics"]["live_nwrmsle"] == error


def test_on_sales_that_end_before_the_training_nothing_is_compared(champion, panel, archive):
    made = monitor(champion, panel.until(TRAINED_DAYS - 30), archive)
    assert state(made, "age of the model") == "watch"
    for name in ("error against the backtest", "columns of the sales", "error and bias by slice"):
        assert state(made, name) == "unknown"
    assert made["retraining_advice"]["decision"] == "keep"


def test_on_sales_that_begin_after_the_training_the_model_is_monitored(champion, panel):
    other = replace(panel, start_date=panel.start_date + TRAINED_DAYS + 20)
    made = monitor(champion, other)
    assert state(made, "what forecasts rest on") == "unknown"
    assert made["retraining_advice"]["decision"] == "retrain"
    assert state(made, "age of the model") == "alarm"


def test_a_training_that_the_gate_stopped_makes_the_next_one_wait(champion, panel):
    late = replace(panel, start_date=panel.start_date + TRAINED_DAYS + 20)
    stopped = str(late.cutoff - 2)
    made = monitor(champion, late, newest_training=stopped)
    assert made["retraining_advice"]["decision"] == "keep"
    assert "2 days of sales ago" in made["retraining_advice"]["reasons"][0]


def test_days_that_look_wrong_count_as_right_once_a_person_accepts_them(champion, panel):
    """A training on them that the gate stopped, such as an experiment, accepts nothing."""
    last, strike = TRAINED_DAYS + 10, TRAINED_DAYS + 2
    known = panel.until(last)
    units, open_days = known.units.copy(), known.open_days.copy()
    units[:, strike], open_days[:, strike] = 0, False
    known = replace(known, units=units, open_days=open_days)
    asked = monitor(champion, known)
    assert str(known.date_of(strike)) in asked["wrong_days"]
    assert asked["retraining_advice"]["decision"] == "check_feed"
    trained = monitor(champion, known, newest_training=str(known.date_of(last - 1)))
    assert trained["wrong_days"] == asked["wrong_days"]
    named = MonitoringParameters(accepted_days=asked["wrong_days"])
    accepted = monitor(champion, known, **{"params:monitoring": named})
    assert accepted["wrong_days"] == []
    assert state(accepted, "days without sales") == "watch"


def log_events(path, champion, panel, n_events: int, spoilt: str | None = None) -> None:
    """Write what the web app would have served: random series of the panel, up to 16 days ahead."""
    forecaster, source = champion.model.final, np.random.default_rng(3)
    rows = source.choice(np.flatnonzero(panel.series["first_sale"] < 100), n_events)
    steps = source.integers(1, 17, n_events)
    known, names = Snapshot(panel, panel.n_days - 1), forecaster.input_names
    matrix = known.features(forecaster.encoding, steps[:, None], names, rows)
    features = pd.DataFrame(matrix, columns=list(names)).astype(float)
    if spoilt:
        features[spoilt] += 1
    described = [
        make_row(
            i,
            model_version=champion.number,
            cutoff=str(panel.cutoff),
            step=int(steps[i]),
            store_nbr=int(panel.series["store_nbr"][rows[i]]),
            item_nbr=int(panel.series["item_nbr"][rows[i]]),
            features=features.iloc[i].to_json(),
        )
        for i in range(n_events)
    ]
    engine = open_database(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(insert(PREDICTIONS), described)
    engine.dispose()


@pytest.mark.parametrize(
    ("spoilt", "expected"), [(None, "ok"), ("moving_average", "alarm"), ("item_mean_7", "alarm")]
)
def test_features_in_the_event_log_are_made_again(champion, panel, tmp_path, spoilt, expected):
    log_events(tmp_path / "events.db", champion, panel, 300, spoilt)
    events = EventsDataset(filepath=str(tmp_path / "events.db")).load()
    made = monitor(champion, panel, events=events)
    assert state(made, "served values against the panel's") == expected
    assert made["monitoring_summary"]["usage"]["requests"] == 300
    skew = made["monitored_feature_skew"].set_index("feature")
    assert set(skew.index[skew["state"] == "alarm"]) == ({spoilt} if spoilt else set())


@pytest.mark.parametrize(
    ("n_stores", "n_items", "n_days", "trained"),
    [(1, 6, 170, 150), (1, 1, 170, 150), (2, 6, 60, 54)],
)
def test_small_worlds_are_monitored(tmp_path, n_stores, n_items, n_days, trained):
    panel = make_panel(seed=5, n_stores=n_stores, n_items=n_items, n_days=n_days)
    champion = train(panel.until(trained - 1), "lightgbm")
    dataset = ForecastArchiveDataset(filepath=str(tmp_path))
    for day in range(trained - 1, n_days):
        dataset.save(forecast(champion, panel.until(day))["forecast_archive"])
    made = monitor(champion, panel, dataset.load())
    assert state(made, "error against the backtest") in ("ok", "watch", "alarm")
    assert read(made).cutoff.isoformat() == str(panel.cutoff)
