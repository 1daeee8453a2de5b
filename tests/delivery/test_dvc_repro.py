"""The loop by DVC itself: real stages on a small world, an S3 server, fresh clones.

The tests of this module are one story and stand in its order.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

from git_project import PROJECT, GitProject, make_git_project
from grocery_demand.hooks.data_version import version_of

TOOLS = PROJECT / ".tools" / "bin"
RAW = "data/01_raw/own"
STAGES = ["preprocess", "fit", "promote", "forecast", "report"]
FORECASTS = "data/07_model_output/forecasts.parquet"
METRICS = "data/08_reporting/metrics.json"
BUCKET = "s3://sales/grocery-demand"
SERVER = """
import sys
import boto3
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
address = "http://%s:%d" % server.get_host_and_port()
boto3.client("s3", endpoint_url=address).create_bucket(Bucket="sales")
print(address, flush=True)
sys.stdin.read()
"""
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}

pytestmark = pytest.mark.skipif(
    not (TOOLS / "dvc").exists(), reason="DVC is not there; set it up with `make tools`"
)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 server on this machine."""
    server = subprocess.Popen(
        [str(TOOLS / "python"), "-c", SERVER],
        env=CREDENTIALS,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield server.stdout.readline().strip()
    server.communicate()


@pytest.fixture(scope="module")
def project(tmp_path_factory, s3) -> GitProject:
    """A repository whose raw files are tracked by DVC; nothing was run yet."""
    project = make_git_project(tmp_path_factory.mktemp("by-dvc") / "project", RAW)
    project.environment = CREDENTIALS | {"AWS_ENDPOINT_URL": s3}
    project.dvc("add", "--quiet", RAW)
    project.commit("Begin")
    return project


@pytest.fixture(scope="module")
def first(project) -> str:
    """The whole loop, as it is typed; the environments are there already."""
    return project.must("make", "-o", ".venv/ready", "-o", ".tools/ready", "repro")


def store_of(project) -> MlflowClient:
    return MlflowClient(f"sqlite:///{project.folder}/mlflow.db")


def runs_of(project) -> list:
    client = store_of(project)
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    return client.search_runs(experiments, order_by=["start_time ASC"])


def ran(said: str) -> list[str]:
    """Return the stages that DVC says it ran."""
    lines = [line for line in said.splitlines() if line.startswith("Running stage ")]
    return [line.split("'")[1] for line in lines]


def changes(project, *arguments) -> dict[str, dict]:
    """Return what a command of DVC says in JSON of the metrics or parameters."""
    return json.loads(project.dvc(*arguments, "--json"))


def test_the_raw_files_are_tracked_by_dvc_and_not_by_git(project):
    assert project.git("ls-files", "data/01_raw") == f"{RAW}.dvc"
    tracked = yaml.safe_load((project.folder / f"{RAW}.dvc").read_text())
    assert tracked["outs"][0]["md5"] == version_of(project.folder / RAW)


def test_one_command_runs_the_whole_loop(first, project):
    assert ran(first) == STAGES
    assert (project.folder / "data/08_reporting/report.html").is_file()
    assert [run.data.tags["pipeline"] for run in runs_of(project)] == STAGES


def test_it_leaves_nothing_to_commit_but_the_lock(first, project):
    assert project.git("status", "--porcelain") == "?? dvc.lock"


def test_each_run_names_the_version_of_its_data_and_clean_code(first, project):
    version = version_of(project.folder / RAW)
    tags = {run.data.tags["pipeline"]: run.data.tags for run in runs_of(project)}
    for stage in STAGES:
        assert tags[stage]["dvc_data"] == version, stage
        assert tags[stage]["dvc_data_kept_by"] == "dvc", stage
        assert tags[stage]["git_dirty"] == "false", stage
    lock = yaml.safe_load((project.folder / "dvc.lock").read_text())
    made = {out["path"]: out["md5"] for out in lock["stages"]["preprocess"]["outs"]}
    assert tags["fit"]["dvc_panel"] == made["data/03_primary/panel"]


def test_a_second_time_there_is_nothing_to_do(first, project):
    project.commit("Name the data")
    said = project.dvc("repro")
    assert ran(said) == []
    assert "Data and pipelines are up to date." in said
    assert len(runs_of(project)) == len(STAGES)


def test_a_fresh_clone_gets_everything_from_s3(first, project, tmp_path):
    project.dvc("remote", "modify", "storage", "url", BUCKET)
    project.commit("Keep the data on S3")
    project.dvc("push")
    clone = project.clone(tmp_path / "clone")
    assert not (clone.folder / RAW).exists()
    clone.dvc("pull")
    for name in (RAW, "data/03_primary/panel", "data/08_reporting/figures"):
        assert version_of(clone.folder / name) == version_of(project.folder / name)
    assert ran(clone.dvc("repro")) == []
    assert clone.git("status", "--porcelain") == ""
    shown = changes(clone, "metrics", "show")[""]["data"][METRICS]["data"]
    assert shown == json.loads((project.folder / METRICS).read_text())


def test_a_clone_beside_it_gets_everything_from_the_local_folder(first, project):
    project.git("revert", "--no-edit", "HEAD")
    project.dvc("push")
    clone = project.clone(project.folder.parent / "clone")
    clone.dvc("pull", FORECASTS)
    assert (clone.folder / FORECASTS).read_bytes() == (project.folder / FORECASTS).read_bytes()
    assert (project.folder.parent / "grocery-demand-storage").is_dir()


def test_a_stricter_gate_is_asked_alone_and_a_rejection_stops_the_line(first, project):
    before = (project.folder / FORECASTS).read_bytes()
    project.set_yaml("parameters.yml", {"gate.max_nwrmsle": 0.1})
    outcome = project.type("dvc", "repro")
    assert outcome.returncode != 0
    assert ran(outcome.stdout) == ["promote"]
    assert "was rejected; version 1 stays champion" in outcome.stderr
    assert (project.folder / FORECASTS).read_bytes() == before
    told = changes(project, "params", "diff")["conf/base/parameters.yml"]
    assert told == {"gate.max_nwrmsle": {"old": 0.95, "new": 0.1, "diff": pytest.approx(-0.85)}}
    project.git("checkout", "conf")


def test_another_seed_trains_anew_and_the_scores_are_compared_by_version(first, project):
    project.set_yaml("parameters.yml", {"training.seed": 8})
    assert ran(project.dvc("repro", "--single-item", "fit")) == ["fit"]
    diff = changes(project, "metrics", "diff")[METRICS]["nwrmsle"]
    assert diff["old"] == runs_of(project)[1].data.metrics["nwrmsle"]
    assert diff["new"] == json.loads((project.folder / METRICS).read_text())["nwrmsle"]
    assert diff["old"] != diff["new"]


def test_the_plots_hold_both_versions(first, project):
    page = project.dvc("plots", "diff", "HEAD").removeprefix("file://")
    drawn = Path(page).read_text()
    for told in ("by step ahead", "by family", "HEAD", "workspace", "moving_average"):
        assert told in drawn
    assert set(project.git("status", "--porcelain").split()) == {
        *("M", "conf/base/parameters.yml", "dvc.lock")
    }


def test_a_run_is_made_again_on_what_dvc_kept_and_a_doctored_score_is_noticed(first, project):
    """The raw files were changed since; the run had begun with a panel, and a changed parameter."""
    run = runs_of(project)[-1]
    assert run.data.tags["pipeline"] == "fit"
    for path in (project.folder / RAW).glob("oil*"):
        path.unlink()
    store_of(project).log_metric(run.info.run_id, "nwrmsle", 0.1234)
    outcome = project.type("kedro", "reproduce", run.info.run_id)
    assert f"from DVC, version {run.data.tags['dvc_data']}" in outcome.stderr
    assert "Panel: from DVC" in outcome.stderr
    told = [line.split(maxsplit=1) for line in outcome.stdout.splitlines() if line[:2] == "  "]
    states = {line[1][:18].strip(): line[0] for line in told}
    assert states.pop("code") == "unknown"
    assert "with changes that were not committed: M conf/base/parameters.yml" in outcome.stdout
    assert states.pop("scores") == "DIFFERENT"
    assert set(states.values()) == {"equal"}
    assert f"nwrmsle 0.1234, now {run.data.metrics['nwrmsle']}" in outcome.stdout
    assert "Not reproduced: scores differ." in outcome.stderr
    assert outcome.returncode == 1
