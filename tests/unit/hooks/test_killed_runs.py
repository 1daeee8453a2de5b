"""Runs that a killed process left open are ended by the next run, on an MLflow store."""

import os
import subprocess
import sys

import mlflow
import pytest

from grocery_demand.hooks.killed_runs import PROCESS, describe_process, end_killed_runs
from mlflow_store import mlflow_at


@pytest.fixture
def client(tmp_path):
    with mlflow_at(tmp_path / "mlflow.db"):
        yield mlflow.MlflowClient()


def start(client, process: str) -> str:
    return client.create_run("0", tags={PROCESS: process}).info.run_id


def test_open_runs_of_processes_that_are_gone_are_ended_as_killed(client):
    host = describe_process()[PROCESS].rpartition(" ")[0]
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    runs = {
        "gone": start(client, f"{host} {gone.pid}"),
        "living": start(client, f"{host} {os.getppid()}"),
        "elsewhere": start(client, f"other-{host} {gone.pid}"),
        "in a container": start(client, f"{host}0 {gone.pid}"),
        "malformed": start(client, f"{host} x"),
        "ended": start(client, f"{host} {gone.pid}"),
    }
    client.set_terminated(runs["ended"], "FAILED")
    untagged = client.create_run("0").info.run_id
    with mlflow.start_run(tags=describe_process()) as mine:
        end_killed_runs()
        assert client.get_run(mine.info.run_id).info.status == "RUNNING"
    states = {name: client.get_run(run).info.status for name, run in runs.items()}
    assert states == {
        "gone": "KILLED",
        "living": "RUNNING",
        "elsewhere": "RUNNING",
        "in a container": "RUNNING",
        "malformed": "RUNNING",
        "ended": "FAILED",
    }
    assert client.get_run(untagged).info.status == "RUNNING"


def test_without_an_active_run_nothing_is_ended(client):
    host = describe_process()[PROCESS].rpartition(" ")[0]
    left = start(client, f"{host} 999999999")
    end_killed_runs()
    assert client.get_run(left).info.status == "RUNNING"
