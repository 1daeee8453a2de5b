"""`kedro daily` as a scheduler runs it, in a small project: its advice, what it does, its status.

The tests stand in the order of their story: each goes on with the project as the one before has
left it.
"""

import json
from pathlib import Path

import pytest
from mlflow import MlflowClient

from project_copies import SMALL_WORLD

NAME = "grocery-demand"
SETTINGS = """
training: {max_training_rows: 20000, max_long_range_rows: 5000}
model_settings: {lightgbm: {n_estimators: 12}}
gate: {max_nwrmsle: 0.9, max_slice_loss: 1, champion_tolerance: 1}
"""
RENEWED_DAILY = "monitoring: {max_model_age_days: 1, min_days_between_trainings: 1}\n"
INCOMING = "data/01_raw/incoming"


@pytest.fixture(scope="module")
def settings(project) -> Path:
    """The file that sets parameters of this project."""
    path = project / "conf/local/parameters.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SETTINGS)
    return path


@pytest.fixture(scope="module")
def trained(world, settings, kedro):
    """The project with a champion that has learnt the sales up to 2017-05-31."""
    outcome = kedro("run", "--pipeline", "train")
    assert outcome.returncode == 0, outcome.stderr
    return settings


@pytest.fixture(scope="module")
def sell(project, kedro):
    """Let a day's sales, of the first three days of June 2017, arrive."""
    parameters = f"{SMALL_WORLD},simulation.end_date=2017-06-03"
    outcome = kedro("run", "--pipeline", "simulate_days", "--params", parameters)
    assert outcome.returncode == 0, outcome.stderr
    to_come = (project / INCOMING).rename(project / "to come")

    def deliver(day: str) -> None:
        (project / INCOMING).mkdir(exist_ok=True)
        for path in to_come.glob(f"*{day}*"):
            path.rename(project / INCOMING / path.name)

    return deliver


def advice_of(project: Path) -> dict:
    path = project / "data/08_reporting/monitoring/retraining_advice.json"
    return json.loads(path.read_text())


def newest_version(project: Path) -> int:
    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    return max(int(v.version) for v in client.search_model_versions(f"name='{NAME}'"))


def test_a_quiet_day_is_taken_in_forecast_from_and_nothing_else(trained, sell, kedro, project):
    sell("2017-06-01")
    outcome = kedro("daily")
    assert outcome.returncode == 0, outcome.stderr
    assert "Advice: keep" in outcome.stdout
    assert "Gate:" not in outcome.stdout
    assert "kedro serve" in outcome.stdout
    assert advice_of(project)["cutoff"] == "2017-06-01"
    assert list((project / "data/07_model_output/forecast_archive").rglob("*.parquet"))
    assert newest_version(project) == 1


def test_a_broken_feed_ends_with_an_error_and_no_training(trained, sell, kedro, project):
    trained.write_text(SETTINGS + RENEWED_DAILY)
    sell("2017-06-02")
    broken = project / INCOMING / "train-2017-06-03.csv"
    broken.write_text("date,store_nbr,item_nbr,unit_sales,onpromotion\n2017-06-01,44,1,1,False\n")
    outcome = kedro("daily")
    broken.unlink()
    assert outcome.returncode == 1
    assert "Advice: check_feed" in outcome.stdout
    assert "train-2017-06-03.csv" in outcome.stdout
    error = outcome.stderr[outcome.stderr.index("Error: ") :]
    assert error == (
        "Error: The feed of sales is broken; nothing was retrained on it. Forecasts rest on its "
        "days all the same, until corrected files are taken in.\n"
    )
    assert advice_of(project)["cutoff"] == "2017-06-02"
    assert newest_version(project) == 1


def test_a_model_that_is_too_old_is_retrained_and_judged(trained, sell, kedro, project):
    sell("2017-06-03")
    outcome = kedro("daily")
    assert outcome.returncode == 0, outcome.stderr
    assert "Advice: retrain" in outcome.stdout
    assert "days of sales since the model's training; it is renewed after 1." in outcome.stdout
    assert "Gate: " in outcome.stdout
    assert newest_version(project) == 2
    # Monitoring looked again after the training.
    assert advice_of(project)["decision"] == "keep"
    assert advice_of(project)["former_version"] == 1


def test_an_unknown_environment_is_told_with_what_there_is(project, kedro):
    outcome = kedro("daily", "--env", "nowhere")
    assert outcome.returncode == 1
    assert "There is no environment `nowhere`" in outcome.stderr
    assert "Traceback" not in outcome.stderr
