"""conf/production as it is meant: MLflow on a real PostgreSQL and S3, events in PostgreSQL.

The MLflow server is started by compose.yml's own command. The tests are one story and stand in its
order: each goes on with what the one before has left.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from fluentd import Receiver
from ports import free_port
from postgres import find_program, run_postgres
from project_copies import EASY_GATE, QUICK_TRAINING, SMALL_WORLD, copy_without_data
from published import serve, wait_for

pytestmark = pytest.mark.skipif(find_program("initdb") is None, reason="no PostgreSQL is installed")

PROJECT = Path(__file__).parents[2]
PASSWORDS = {"MLFLOW_DB_PASSWORD": "mlflows-own", "EVENTS_DB_PASSWORD": "events-own"}
KEYS = {
    "AWS_ACCESS_KEY_ID": "a-key", "AWS_SECRET_ACCESS_KEY": "its-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}  # fmt: skip


@contextmanager
def running(*command: str, env: dict[str, str], url: str) -> Iterator[None]:
    """Run a server until the block ends; go on once it answers."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, env=os.environ | env, stdout=said, stderr=said)

        def answers() -> bool:
            if process.poll() is not None:
                said.seek(0)
                pytest.fail(said.read())
            try:
                return httpx.get(url, timeout=5).status_code < 500
            except httpx.TransportError:
                return False

        try:
            wait_for(answers, 120)
            yield
        finally:
            process.terminate()
            process.wait(timeout=60)


@pytest.fixture(scope="module")
def postgres(deploy) -> Iterator:
    """A server with the databases and users that compose's makes."""
    with run_postgres(passwords=True) as server:
        server.run_script(deploy / "postgres" / "databases.sql", PASSWORDS)
        yield server


@pytest.fixture(scope="module")
def s3(deploy, tool) -> Iterator[str]:
    """The address of an S3 with the bucket that compose's one-shot service makes."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(tool("moto_server"), "-H", "127.0.0.1", "-p", str(port), env=KEYS, url=url):
        for _ in range(2):
            subprocess.run(
                [sys.executable, deploy / "set_up.py", "bucket"],
                check=True, env=os.environ | KEYS | {"S3_URL": url, "S3_BUCKET": "mlflow"},
            )  # fmt: skip
        yield url


@pytest.fixture(scope="module")
def mlflow_server(compose, postgres, s3) -> Iterator[str]:
    """The address of an MLflow server, started as compose starts it, but on this machine alone."""
    port = free_port()
    service = compose["services"]["mlflow"]
    options = {"--host": "127.0.0.1", "--port": str(port)}
    words = [word for word in service["command"] if word.split("=")[0] not in options]
    words += [f"{name}={value}" for name, value in options.items()]
    user = f"mlflow:{PASSWORDS['MLFLOW_DB_PASSWORD']}"
    stated = {
        "MLFLOW_BACKEND_STORE_URI": postgres.url(user, "mlflow").replace(
            "postgresql:", "postgresql+pg8000:"
        ),
        "MLFLOW_S3_ENDPOINT_URL": s3,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        **KEYS,
    }
    assert set(stated) == set(service["environment"])
    program = str(Path(sys.executable).with_name(service["entrypoint"][0]))
    url = f"http://127.0.0.1:{port}"
    with running(program, *words, env=stated, url=f"{url}/health"):
        yield url


@pytest.fixture(scope="module")
def events_url(postgres) -> str:
    return postgres.url(f"events:{PASSWORDS['EVENTS_DB_PASSWORD']}", "events")


Kedro = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    return copy_without_data(tmp_path_factory.mktemp("production") / "project")


@pytest.fixture(scope="module")
def kedro(project, mlflow_server, events_url) -> Kedro:
    """Type a kedro command as on a server of production, by the workshop's name of the address."""
    program = str(Path(sys.executable).with_name("kedro"))
    known = {name: value for name, value in os.environ.items() if name not in KEYS}
    known.pop("MLFLOW_TRACKING_URI", None)
    stated = {"KEDRO_ENV": "production", "EVENTS_URL": events_url}
    known |= stated | {"MLFLOW_TRACKING_URL": mlflow_server}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments],
            cwd=project,
            env=known,
            check=False,
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture(scope="module")
def first(kedro):
    outcome = kedro("run", "--pipeline", "simulate", "--params", SMALL_WORLD)
    assert outcome.returncode == 0, outcome.stderr
    return kedro("run", "--params", f"{QUICK_TRAINING},{EASY_GATE}")


@pytest.fixture(scope="module")
def client(mlflow_server):
    from mlflow import MlflowClient

    return MlflowClient(mlflow_server)


def champion(client) -> int:
    return int(client.get_model_version_by_alias("grocery-demand", "champion").version)


def test_the_server_answers_by_its_name_in_compose_and_to_no_stranger(mlflow_server):
    asked = f"{mlflow_server}/api/2.0/mlflow/experiments/get?experiment_id=0"
    for host, status in (("mlflow:5000", 200), ("localhost:5000", 200), ("evil.example", 403)):
        assert httpx.get(asked, headers={"Host": host}).status_code == status, host


def test_the_whole_loop_leaves_nothing_of_mlflow_beside_the_project(first, project):
    assert first.returncode == 0, first.stderr
    assert "Promoted" in first.stdout
    assert not (project / "mlflow.db").exists()
    assert not (project / "mlartifacts").exists()


def test_runs_and_registry_lie_in_postgresql(first, postgres):
    user = f"mlflow:{PASSWORDS['MLFLOW_DB_PASSWORD']}"
    engine = create_engine(
        postgres.url(user, "mlflow").replace("postgresql:", "postgresql+pg8000:")
    )
    with engine.connect() as connection:
        statuses = connection.execute(text("select status from runs")).scalars().all()
        aliases = connection.execute(
            text("select alias, version from registered_model_aliases order by alias")
        ).all()
    engine.dispose()
    assert statuses == ["FINISHED"]
    assert aliases == [("challenger", 1), ("champion", 1)]


def test_artifacts_and_the_model_lie_in_s3(first, s3):
    import boto3

    storage = boto3.client(
        "s3", endpoint_url=s3, aws_access_key_id="a-key", aws_secret_access_key="its-secret",
        region_name="us-east-1",
    )  # fmt: skip
    pages = storage.get_paginator("list_objects_v2").paginate(Bucket="mlflow", Prefix="artifacts/")
    names = [found["Key"] for page in pages for found in page["Contents"]]
    for part in ("/verdict.json", "/model_card.md", "/MLmodel", "/data/trained_model/"):
        assert any(part in name for name in names), (part, names)


def test_no_user_reaches_the_others_database(first, postgres):
    stranger = postgres.url(f"events:{PASSWORDS['EVENTS_DB_PASSWORD']}", "mlflow")
    engine = create_engine(stranger.replace("postgresql:", "postgresql+pg8000:"))
    with pytest.raises(Exception, match="permission denied for database"):
        engine.connect()


def test_events_go_to_postgresql_and_fluentd_and_monitoring_reads_them(
    first, kedro, project, events_url
):
    receiver = Receiver()
    env = {
        "KEDRO_ENV": "production", "EVENTS_URL": events_url, "TENANT": "user1",
        "FLUENTD_HOST": "127.0.0.1", "FLUENTD_PORT": str(receiver.port),
    }  # fmt: skip
    with serve(project, "--host", "127.0.0.1", env=env) as app, app.client() as web:
        product = web.get("/api/v1/products").json()["products"][0]
        asked = {"date": "2017-06-05", "item_nbr": product["item_nbr"]}
        store = web.get("/api/v1/stores").json()["stores"][0]["store_nbr"]
        assert web.get("/prediction", params=asked | {"store_nbr": store}).status_code == 200
        assert web.get("/prediction", params=asked | {"store_nbr": 999}).status_code == 422
        wait_for(lambda: receiver.tags == {"user1.prediction", "user1.refusal"})
    receiver.die()
    assert not (project / "data/07_model_output/events.db").exists()
    outcome = kedro("run", "--pipeline", "monitor")
    assert outcome.returncode == 0, outcome.stderr
    summary = json.loads((project / "data/08_reporting/monitoring/summary.json").read_text())
    assert "store_nbr" in json.dumps(summary)


def test_another_process_promotes_against_the_champion_and_rolls_back(
    first, kedro, project, client
):
    assert champion(client) == 1
    other = f"training.seed=8,{QUICK_TRAINING},{EASY_GATE}"
    outcome = kedro("run", "--pipeline", "train", "--params", other)
    assert outcome.returncode == 0, outcome.stderr
    verdict = json.loads((project / "data/08_reporting/verdict.json").read_text())
    assert verdict["incumbent"]["version"] == 1
    assert champion(client) == 2
    pointer = project / "data/07_model_output/publication/current.json"
    assert json.loads(pointer.read_text())["model_version"] == 2
    outcome = kedro("rollback", "--reason", "tried out")
    assert outcome.returncode == 0, outcome.stderr
    assert champion(client) == 1
    assert json.loads(pointer.read_text())["model_version"] == 1
