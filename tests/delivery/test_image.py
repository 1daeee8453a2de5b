"""The image is built by its own Dockerfile and run with read-only files, as nobody in particular.

The tests are one story and stand in its order: a pipeline's container leaves a champion in the
mounted folder, from which the web app's container forecasts.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from containers import Container, Engine, missing_programs
from ports import free_port
from project_copies import SMALL_WORLD, WEAK
from published import wait_for

pytestmark = pytest.mark.skipif(
    bool(missing_programs()), reason=f"not here: {', '.join(missing_programs())}"
)

PROJECT = Path(__file__).parents[2]
UID = 10001


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> Iterator[Engine]:
    engine = Engine.in_folder(tmp_path_factory.mktemp("engine"))
    engine.make_base()
    yield engine
    engine.remove()


def make(target: str, engine: Engine, **settings: str) -> None:
    """Type a make target as on a machine with buildah."""
    told = {"BUILDER": " ".join(engine.buildah), "BUILD_OPTIONS": " ".join(engine.build_options())}
    words = [f"{name}={value}" for name, value in (told | settings).items()]
    outcome = subprocess.run(
        ["make", target, *words], cwd=PROJECT, check=False, capture_output=True, text=True
    )
    assert outcome.returncode == 0, outcome.stdout[-3000:] + outcome.stderr[-3000:]


@pytest.fixture(scope="module")
def built(engine) -> str:
    make("image", engine, COMMIT="0123abc", DIRTY="false")
    return "localhost/grocery-demand:latest"


@pytest.fixture(scope="module")
def files(engine, built) -> Iterator[Path]:
    with engine.files_of(built) as folder:
        yield folder


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """The folder that is mounted as /app/data, reachable for the image's user."""
    folder = tmp_path_factory.mktemp("data")
    for parent in (folder, *folder.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o011)
    os.chown(folder, UID, UID)
    return folder


@pytest.fixture(scope="module")
def container(engine, built, files, data) -> Container:
    return Container(engine, engine.describe(built), files, data)


@pytest.fixture(scope="module")
def loop(container) -> subprocess.CompletedProcess[str]:
    """The whole loop on a small world, by two commands of the image."""
    registry = {"MLFLOW_TRACKING_URI": "sqlite:////app/data/mlflow.db"}
    simulate = "run", "--pipeline", "simulate", "--params", SMALL_WORLD
    simulated = container.run(*simulate, env=registry)
    assert simulated.returncode == 0, simulated.stderr
    return container.run("run", "--params", WEAK, env=registry)


def ask(url: str, key: str) -> httpx.Response:
    """Ask for the forecast of a product in a store that sells it."""
    with httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=30) as client:
        product = client.get("/api/v1/products").json()["products"][0]
        for store in client.get("/api/v1/stores").json()["stores"]:
            asked = {
                "date": "2017-06-05", "item_nbr": product["item_nbr"],
                "store_nbr": store["store_nbr"],
            }  # fmt: skip
            answer = client.get("/prediction", params=asked)
            if answer.status_code == 200:
                return answer
    return answer


def is_alive(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def test_the_image_says_what_it_is_and_how_it_runs(engine, built):
    told = engine.describe(built)
    assert told["User"] == f"{UID}:{UID}"
    assert (told["Entrypoint"], told["Cmd"]) == (["kedro"], ["serve"])
    assert set(told["Volumes"]) == {"/app/data", "/tmp"}
    assert set(told["ExposedPorts"]) == {"5005/tcp"}
    assert told["Healthcheck"]["Test"][:3] == ["CMD", "python3", "-m"]
    assert told["Labels"]["org.opencontainers.image.revision"] == "0123abc"
    assert told["Labels"]["grocery-demand.model-version"] == "as published"
    env = dict(word.split("=", 1) for word in told["Env"])
    quiet = ("DO_NOT_TRACK", "KEDRO_DISABLE_TELEMETRY", "MLFLOW_DISABLE_TELEMETRY")
    assert all(env[name] == "true" for name in quiet)
    assert (env["OMP_WAIT_POLICY"], env["GOMP_SPINCOUNT"]) == ("passive", "1000")


def test_the_image_holds_what_runs_and_nothing_else(files):
    packages = files / "opt/venv/lib/python3.11/site-packages"
    names = {path.name for path in packages.iterdir()}
    unwanted = {"pip", "setuptools", "pytest", "jupyterlab", "IPython", "playwright", "mypy"}
    assert names & unwanted == set()
    assert not list(packages.rglob("tests"))
    assert {path.name for path in (files / "app").iterdir()} == {
        "conf", "data", "pyproject.toml", "requirements.lock", "src", ".telemetry",
    }  # fmt: skip
    assert not list((files / "app/conf").rglob("credentials*"))
    assert not list((files / "app/data").rglob("*.*"))
    assert not (files / "root/.cache").exists()
    assert not (files / "etc/pip.conf").exists()


def test_everything_in_the_image_is_of_the_locks_version(files):
    lock = (PROJECT / "requirements.lock").read_text()
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))
    folders = (files / "opt/venv/lib/python3.11/site-packages").glob("*.dist-info")
    found = dict(folder.name.removesuffix(".dist-info").rsplit("-", 1) for folder in folders)
    installed = {re.sub("[._]", "-", name).lower(): version for name, version in found.items()}
    assert installed.items() <= locked.items()
    assert {"kedro", "mlflow", "lightgbm", "boto3", "pg8000"} <= set(installed)


def test_a_pipeline_runs_in_the_image(loop, data):
    assert loop.returncode == 0, loop.stderr
    assert "Promoted" in loop.stdout
    assert (data / "07_model_output/publication/current.json").stat().st_uid == UID


def test_the_run_names_the_commit_that_the_image_was_built_from(loop, data):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{data}/mlflow.db")
    experiment = client.get_experiment_by_name("grocery-demand")
    tags = client.search_runs([experiment.experiment_id])[0].data.tags
    assert (tags["git_commit"], tags["git_dirty"]) == ("0123abc", "false")


def test_nothing_but_the_mounted_folders_can_be_written(container):
    for place in ("/app/src/new", "/opt/venv/new", "/etc/new"):
        outcome = container.run("-c", f"open('{place}', 'w')", entrypoint=["python3"])
        assert "Read-only file system" in outcome.stderr
    outcome = container.run(
        "-c", "import os; open('/tmp/new', 'w'); print(os.getuid(), os.getgroups())",
        entrypoint=["python3"],
    )  # fmt: skip
    assert outcome.stdout.split()[0] == str(UID), outcome.stderr


def test_the_web_app_does_not_open_to_the_network_without_a_key(container):
    outcome = container.run("serve", env={"GROCERY_DEMAND_PORT": str(free_port())})
    assert outcome.returncode == 1
    assert "without a key" in outcome.stderr


def test_the_web_app_answers_a_prediction_and_its_health_check(loop, container, data):
    port = str(free_port())
    env = {"GROCERY_DEMAND_PORT": port, "GROCERY_DEMAND_API_KEY": "secret"}
    check = container.image["Healthcheck"]["Test"][1:]
    url = f"http://127.0.0.1:{port}"
    with container.start(env=env) as app:
        wait_for(lambda: is_alive(url))
        assert app.execute(*check).returncode == 0
        wait_for(lambda: app.execute(*check, "/health/ready").returncode == 0)
        assert httpx.get(f"{url}/api/v1/products").status_code == 401
        answer = ask(url, "secret")
        assert answer.status_code == 200, answer.text
        assert float(answer.text) >= 0
    assert (data / "07_model_output/events.db").stat().st_uid == UID


def test_the_health_check_fails_where_no_web_app_runs(container):
    check = container.image["Healthcheck"]["Test"][1:]
    outcome = container.run(*check[1:], entrypoint=check[:1], env={"GROCERY_DEMAND_PORT": "1"})
    assert outcome.returncode == 1
    assert "no answer on port 1" in outcome.stderr


def test_the_mlflow_server_of_compose_starts_in_the_image(container, compose):
    service = compose["services"]["mlflow"]
    port = str(free_port())
    options = {"--host": "127.0.0.1", "--port": port}
    words = [word for word in service["command"] if word.split("=")[0] not in options]
    words += [f"{name}={value}" for name, value in options.items()]
    env = {"MLFLOW_BACKEND_STORE_URI": "sqlite:////app/data/other.db"}
    env |= {
        name: told for name, told in service["environment"].items() if name.startswith("MLFLOW_SER")
    }
    with container.start(*words, entrypoint=service["entrypoint"], env=env) as server:

        def answers() -> bool:
            assert server.process.poll() is None, server.process.stdout.read()
            return server.execute(*service["healthcheck"]["test"][1:]).returncode == 0

        service["healthcheck"]["test"][-1] = service["healthcheck"]["test"][-1].replace(
            ":5000/", f":{port}/"
        )
        wait_for(answers, 120)


def test_an_image_with_a_champion_needs_no_shared_folder(loop, engine, data, built):
    make("image-with-model", engine, PUBLICATION=str(data / "07_model_output/publication"))
    image = "localhost/grocery-demand:model-1"
    told = engine.describe(image)
    assert told["Labels"]["grocery-demand.model-version"] == "1"
    assert told["Labels"]["org.opencontainers.image.revision"] == "0123abc"
    port = str(free_port())
    env = {
        "GROCERY_DEMAND_PORT": port, "GROCERY_DEMAND_API_KEY": "secret",
        "EVENTS_URL": "sqlite:////tmp/events.db",
    }  # fmt: skip
    empty = data / "empty"
    empty.mkdir()
    os.chown(empty, UID, UID)
    url = f"http://127.0.0.1:{port}"
    with (
        engine.files_of(image) as files,
        Container(engine, told, files, empty).start("serve", env=env) as app,
    ):
        wait_for(
            lambda: app.execute(*told["Healthcheck"]["Test"][1:], "/health/ready").returncode == 0
        )
        assert ask(url, "secret").status_code == 200
