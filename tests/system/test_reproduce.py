"""A run made again after the code went on: a git repository, real runs, real stores.

The tests of this module are one story and stand in its order.
"""

import pytest
from mlflow import MlflowClient

from git_project import GitProject, make_git_project
from grocery_demand.reproduction.comparison import EQUAL, compare_runs
from grocery_demand.reproduction.recorded_run import RecordedRun
from grocery_demand.reproduction.rerun import find_newest_run

NAME = "grocery-demand"
SEED = "training.seed=9"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> GitProject:
    """A repository in which a model was trained, two commits ago."""
    project = make_git_project(tmp_path_factory.mktemp("reproduced"))
    project.commit("Begin")
    project.must("kedro", "run", "--pipeline", "train", "--params", SEED)
    project.set_yaml("parameters.yml", {"training.horizon": 14})
    project.commit("Forecast two weeks")
    metrics = project.folder / "src" / "grocery_demand" / "core" / "metrics.py"
    metrics.write_text(metrics.read_text().replace("np.log1p(", "np.log10(1.0 + "))
    project.commit("Measure by another logarithm")
    return project


@pytest.fixture(scope="module")
def client(project) -> MlflowClient:
    return MlflowClient(f"sqlite:///{project.folder}/mlflow.db")


@pytest.fixture(scope="module")
def run(client):
    experiment = client.get_experiment_by_name(NAME)
    return client.search_runs([experiment.experiment_id])[0]


@pytest.fixture(scope="module")
def again(project, run):
    return project.type("kedro", "reproduce", run.info.run_id)


def found(outcome) -> dict[str, str]:
    """Return what was said of each subject."""
    lines = [line for line in outcome.stdout.splitlines() if line.startswith("  ")]
    return {line[13:31].strip(): line[2:11].strip() for line in lines}


def copy_of(project, run):
    return project.folder / "build" / "reproduce" / run.info.run_id


def test_the_run_names_all_that_it_was_made_from(project, run):
    tags = run.data.tags
    assert tags["git_commit"] == project.git("rev-parse", "HEAD~2")
    assert tags["git_dirty"] == "false"
    assert (tags["pipeline"], tags["whole_pipeline"], tags["reads"]) == ("train", "true", "raw")
    assert tags["dvc_data"].endswith(".dir")
    assert tags["dvc_data_kept_by"] == "git"
    assert "lightgbm==" in tags["libraries"]


def test_a_run_made_two_commits_ago_comes_out_the_same(again):
    assert again.returncode == 0, again.stdout + again.stderr
    assert found(again) == dict.fromkeys(
        [
            *("code", "data", "parameters", "locked versions", "installed versions"),
            *("outcome", "scores", "model"),
        ],
        "equal",
    )
    assert again.stdout.endswith("Reproduced.\n")


def test_it_was_run_by_the_code_and_with_the_parameters_of_then(again, project, run):
    copy = copy_of(project, run)
    assert "np.log1p(" in (copy / "src/grocery_demand/core/metrics.py").read_text()
    client = MlflowClient(f"sqlite:///{copy}/mlflow.db")
    experiment = client.get_experiment_by_name(NAME)
    (made,) = client.search_runs([experiment.experiment_id])
    assert made.data.params["training.seed"] == "9"
    assert made.data.params["training.horizon"] == "16"
    assert made.data.metrics == run.data.metrics
    assert made.data.tags["git_dirty"] == "false"


def test_the_project_is_left_as_it_was(again, project, client, run):
    assert project.git("status", "--porcelain") == ""
    experiment = client.get_experiment_by_name(NAME)
    assert len(client.search_runs([experiment.experiment_id])) == 1
    assert client.get_model_version_by_alias(NAME, "champion").run_id == run.info.run_id


def test_a_doctored_score_is_noticed(again, project, client, run):
    client.log_metric(run.info.run_id, "nwrmsle", 0.1234)
    first = RecordedRun.of(client.get_run(run.info.run_id))
    findings = compare_runs(first, find_newest_run(copy_of(project, run), "train"))
    (other,) = [finding for finding in findings if finding.state != EQUAL]
    assert other.subject == "scores"
    assert other.detail == f"nwrmsle 0.1234, now {run.data.metrics['nwrmsle']}"


def test_an_unknown_run_is_refused_in_one_message(project):
    outcome = project.type("kedro", "reproduce", "../x")
    assert outcome.returncode == 1
    assert "There is no run `../x`" in outcome.stderr
    assert "Traceback" not in outcome.stderr
