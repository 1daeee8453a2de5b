"""The training runs as a table: what was recorded, and which version came of it."""

import mlflow
import pytest
from kedro.io import DatasetError

from grocery_demand.core.model_version import Decision
from grocery_demand.datasets import TrainingRunsDataset

EXPERIMENT = "sales"


@pytest.fixture
def runs(registry) -> TrainingRunsDataset:
    return TrainingRunsDataset(experiment=EXPERIMENT, name=registry.name)


def record(metrics, params, tags, status="FINISHED"):
    mlflow.set_experiment(EXPERIMENT)
    run = mlflow.start_run()
    mlflow.log_params(params)
    mlflow.log_metrics(metrics)
    mlflow.set_tags(tags)
    mlflow.end_run(status)
    return run.info.run_id


def test_each_run_that_trained_a_model_is_a_row_and_the_newest_comes_first(runs):
    old = record({"nwrmsle": 0.7}, {"training.seed": 7}, {"model_version": "1"})
    record({"bias": 0.1}, {}, {})
    record({"nwrmsle": 0.1}, {}, {}, status="FAILED")
    new = record(
        {"nwrmsle": 0.6, "bias": -0.2}, {"training.seed": 8, "model": "lightgbm"},
        {"model_version": "2", "data_digest": "abc", "kedro_command": "kedro run"},
    )  # fmt: skip
    table = runs.load()
    assert table["run_id"].tolist() == [new, old]
    assert table["nwrmsle"].tolist() == [0.6, 0.7]
    assert table["training.seed"].tolist() == ["8", "7"]
    assert table["version"].tolist() == ["2", "1"]
    assert table["data_digest"].tolist() == ["abc", ""]
    assert table["command"].tolist() == ["kedro run", ""]
    assert table["model"].iloc[0] == "lightgbm"
    assert table[["model", "bias"]].iloc[1].isna().all()
    assert (table["seconds"] >= 0).all()


def test_a_run_whose_version_is_champion_says_so(runs, registry, trained):
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run():
        mlflow.log_metric("nwrmsle", 0.5)
        registry.register(trained["moving_average"])
    registry.promote(Decision(True, 1, None, "Version 1 is better."))
    assert runs.load()["roles"].tolist() == ["challenger, champion"]


@pytest.mark.parametrize("there_are_others", [True, False])
def test_without_a_training_run_the_command_that_makes_one_is_named(runs, there_are_others):
    if there_are_others:
        record({"bias": 0.1}, {}, {})
    with pytest.raises(DatasetError, match=r"`sales` has trained a model yet.*make run"):
        runs.load()


def test_runs_are_not_written(runs):
    with pytest.raises(DatasetError, match="only read"):
        runs.save("anything")
