"""GoCD's pipelines run on this machine as agents would, each ml stage in a clone of its own.

The tests are one story and stand in its order.
"""

import json
import sys
import urllib.request

import pytest
from mlflow import MlflowClient

from clones import make_repository, run
from gocd import Agent
from grocery_demand.serving.handover import find_running
from make_targets import ROOT
from ports import free_port
from project_copies import EASY_GATE

MODEL = "grocery-demand"
WEAK = f"training.max_training_rows=10000,model_settings.lightgbm.n_estimators=12,{EASY_GATE}"
BETTER = f"training.max_training_rows=40000,model_settings.lightgbm.n_estimators=40,{EASY_GATE}"
TREE = "training.model=decision_tree,training.feature_set=workshop"


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    """An agent whose variables name an MLflow, a tenant and an address of the app."""
    folder = tmp_path_factory.mktemp("gocd")
    port = free_port()
    agent = Agent(
        make_repository(tmp_path_factory.getbasetemp() / "repository"),
        folder,
        {
            "MLFLOW_TRACKING_URL": f"sqlite:///{folder}/mlflow.db",
            "TENANT": "user1",
            "FLUENTD_HOST": "",
            "PORT": str(port),
            "URL": f"http://127.0.0.1:{port}",
            "TESTS": "tests/unit/core/test_metrics.py",
            "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache"),
        },
    )
    yield agent
    workspace = folder / "agent/app-pipeline"
    if find_running(workspace / "build/deploy"):
        run(["make", "stop"], workspace)


@pytest.fixture(scope="module")
def registry(agent):
    return MlflowClient(agent.variables["MLFLOW_TRACKING_URL"])


def champion(registry) -> int:
    return int(registry.get_model_version_by_alias(MODEL, "champion").version)


def served(agent) -> dict:
    with urllib.request.urlopen(agent.variables["URL"] + "/health/ready", timeout=30) as answer:
        return json.load(answer)


def test_a_first_model_passes_every_stage_each_on_another_agent(agent, registry):
    passed = agent.run_pipeline("ml-pipeline", anywhere=True, PARAMS=WEAK)
    assert passed, agent.said
    assert champion(registry) == 1
    kept = agent.folder / "server/ml-pipeline/publish/publication"
    assert json.loads((kept / "publication/current.json").read_text())["model_version"] == 1
    assert "model card" in (kept / "report/report.html").read_text().lower()


def test_a_decision_tree_with_the_workshops_features_is_stopped_by_the_gate(agent, registry):
    passed = agent.run_pipeline("ml-pipeline", first="train", anywhere=True, PARAMS=TREE)
    assert not passed
    results = {stage: ok for (name, stage), ok in agent.results.items() if name == "ml-pipeline"}
    assert results == {"train": True, "gate": False}
    said = agent.said["ml-pipeline", "gate"]
    assert "was rejected; version 1 stays champion" in said
    assert "Traceback" not in said
    assert champion(registry) == 1
    kept = agent.folder / "server/ml-pipeline/publish/publication/publication/current.json"
    assert json.loads(kept.read_text())["model_version"] == 1


def test_a_better_model_goes_through(agent, registry):
    passed = agent.run_pipeline("ml-pipeline", first="train", anywhere=True, PARAMS=BETTER)
    assert passed, agent.said
    aliases = registry.get_registered_model(MODEL).aliases
    assert (int(aliases["champion"]), int(aliases["previous"])) == (3, 1)


def test_the_app_is_tested_deployed_and_asked(agent):
    """But for the image: tests of the container build it."""
    for stage in ("test", "deploy", "smoke"):
        assert agent.run_stage("app-pipeline", stage), agent.said["app-pipeline", stage]
    assert served(agent)["model_version"] == 3
    assert "tag user1.prediction" in agent.said["app-pipeline", "smoke"]


def test_a_rollback_by_hand_is_followed_by_the_running_app(agent, registry):
    workspace = agent.folder / "agent/app-pipeline"
    before = find_running(workspace / "build/deploy")
    assert agent.run_stage("app-pipeline", "rollback"), agent.said["app-pipeline", "rollback"]
    assert champion(registry) == 1
    asked = ["kedro", "smoke", "--url", agent.variables["URL"], "--model-version", "1"]
    run([sys.executable, "-m", *asked], workspace)
    assert find_running(workspace / "build/deploy") == before
