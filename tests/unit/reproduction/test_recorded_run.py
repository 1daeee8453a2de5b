"""Which runs can be made again, in a real MLflow store."""

import mlflow
import pytest
from mlflow import MlflowClient

from grocery_demand.reproduction.recorded_run import (
    ReproductionError,
    find_run,
    load_parameters,
)

TAGS = {
    "git_commit": "c0ffee",
    "pipeline": "train",
    "whole_pipeline": "true",
    "raw_dir": "data/01_raw/sample",
    "reads": "raw",
}
PARAMETERS = {"training": {"seed": 7, "rate": 1e-05, "model": "lightgbm"}}


@pytest.fixture
def record(mlflow_store, tmp_path):
    """Record a run; return its number."""

    def record(tags=(), metrics=("nwrmsle",), status="FINISHED", experiment="demand") -> str:
        if mlflow.get_experiment_by_name(experiment) is None:
            mlflow.create_experiment(experiment, artifact_location=(tmp_path / "a").as_uri())
        mlflow.set_experiment(experiment)
        run = mlflow.start_run()
        mlflow.set_tags({k: v for k, v in (TAGS | dict(tags)).items() if v is not None})
        mlflow.log_metrics(dict.fromkeys(metrics, 0.5))
        if status != "RUNNING":
            mlflow.end_run(status)
        return run.info.run_id

    yield record
    while mlflow.active_run():
        mlflow.end_run()


@pytest.mark.parametrize("status", ["FINISHED", "FAILED"])
def test_a_run_that_made_a_model_is_found_whether_the_gate_took_it_or_not(record, status):
    run = find_run(record(status=status), ["demand"])
    assert (run.pipeline, run.commit, run.raw_dir) == ("train", "c0ffee", "data/01_raw/sample")
    assert (run.status, run.metrics, run.reads_panel) == (status, {"nwrmsle": 0.5}, False)


def test_a_run_that_began_with_a_panel_is_known_as_such(record):
    assert find_run(record({"reads": "panel,raw"}), ["demand"]).reads_panel


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"experiment": "churn"}, "experiment `churn`, not to this project's (demand)"),
        ({"tags": {"pipeline": None}}, "it has no tag pipeline"),
        ({"tags": {"git_commit": "unknown"}}, "made outside of git"),
        ({"tags": {"whole_pipeline": "false"}}, "ran a part of the pipeline only"),
        ({"metrics": (), "tags": {"pipeline": "forecast"}}, "(forecast) has no scores"),
        ({"status": "RUNNING"}, "is RUNNING"),
        ({"status": "KILLED"}, "is KILLED"),
    ],
)
def test_other_runs_are_refused_with_the_reason(record, changes, told):
    run_id = record(**changes)
    with pytest.raises(ReproductionError) as caught:
        find_run(run_id, ["demand"])
    assert told in str(caught.value)
    assert run_id in str(caught.value)


@pytest.mark.parametrize("run_id", ["0" * 32, "../x", ""])
def test_an_unknown_run_is_refused_with_the_place_that_was_looked_in(record, run_id):
    with pytest.raises(ReproductionError, match=r"There is no run `.*` in sqlite:///"):
        find_run(run_id, ["demand"])


def test_parameters_come_back_as_they_were_given(record):
    run_id = record()
    run = find_run(run_id, ["demand"])
    with pytest.raises(ReproductionError, match=r"should lie on it as parameters\.json"):
        load_parameters(run)
    MlflowClient().log_dict(run_id, PARAMETERS, "parameters.json")
    assert load_parameters(run) == PARAMETERS
