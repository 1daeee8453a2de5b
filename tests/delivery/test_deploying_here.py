"""The web app deployed on this machine: real processes, a socket handed over, real requests.

The tests share one deployment and stand in its order.
"""

import json
import os
import shutil
import signal
import threading
import urllib.request
from pathlib import Path

import pytest

from grocery_demand.delivery.handing_over import copy_publication
from grocery_demand.delivery.smoke import SmokeTested, SmokeTestError, smoke_test
from grocery_demand.delivery.web_app import FOLDER, DeploymentError, deploy, stop
from grocery_demand.serving.handover import Running, find_running, is_running
from grocery_demand.storage.publication import PublicationError
from make_targets import ROOT
from published import FOLDER as PUBLICATION
from published import make_project, publish_small, small_panel, wait_for

KEY = "open sesame"


def say_nothing(line: str) -> None:
    """Tell nobody."""


@pytest.fixture(scope="module")
def model(long_model):
    return long_model


@pytest.fixture(scope="module")
def project(tmp_path_factory, model):
    """A project whose champion is published; what it deploys is stopped at the end."""
    folder = make_project(tmp_path_factory.mktemp("deployed") / "project", tenant="user1")
    publish_small(folder, small_panel(), model, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROCERY_DEMAND_API_KEY", KEY)
        yield folder
        stop(folder)


@pytest.fixture
def running(project) -> Running:
    """The deployed app; it is deployed if none runs."""
    return find_running(project / FOLDER) or deploy(project, say_nothing, port=0).running


@pytest.fixture
def change_code(tmp_path, monkeypatch):
    """Let processes that start from now on run another version of the code."""

    def change(file: str, former: str, new: str) -> None:
        source = tmp_path / "src"
        shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        path = source / "grocery_demand" / file
        text = path.read_text()
        assert former in text
        path.write_text(text.replace(former, new))
        monkeypatch.setenv("PYTHONPATH", str(source))

    return change


def get(url: str, path: str) -> str:
    request = urllib.request.Request(url + path, headers={"X-API-Key": KEY})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


class Buyers:
    """Ask on and on, each time on a new connection, until the block ends."""

    def __init__(self, url: str) -> None:
        self.url, self.answered, self.failed = url, 0, []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]

    def __enter__(self) -> "Buyers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._ended.is_set():
            try:
                get(self.url, "/health/ready")
            except OSError as error:
                self.failed.append(error)
            else:
                self.answered += 1


def ask(url: str, **options: object) -> SmokeTested:
    return smoke_test(url, say_nothing, **{"key": KEY} | options)


def test_an_app_is_tried_deployed_and_outlives_its_command(project):
    told = []
    deployed = deploy(project, told.append, port=0)
    assert deployed.replaced is None
    assert any("a prediction: " in line for line in told)
    assert "Serving version 1" in deployed.log.read_text()
    # What the trial asked is no event of the app.
    assert json.loads(get(deployed.running.url, "/api/v1/events"))["total"] == 0
    assert not list((project / FOLDER).glob("candidate-events*"))
    assert ask(deployed.running.url).model_version == 1


def test_no_request_is_lost_while_another_process_takes_over(project, running):
    with Buyers(running.url) as buyers:
        wait_for(lambda: buyers.answered > 20)
        second = deploy(project, say_nothing, port=0)
        before = buyers.answered
        wait_for(lambda: buyers.answered > before + 20)
    assert buyers.failed == []
    assert second.running.url == running.url
    assert second.replaced == running.pid != second.running.pid
    wait_for(lambda: not Path(running.handover).parent.exists())


def test_code_that_answers_wrongly_replaces_nothing(project, running, change_code):
    change_code(
        "serving/api.py", "Response(str(forecast.units)", "Response(str(forecast.units + 9)"
    )
    with pytest.raises(SmokeTestError, match="The event says"):
        deploy(project, say_nothing, port=0)
    assert ask(running.url)
    assert find_running(project / FOLDER) == running


def test_code_that_does_not_start_replaces_nothing_and_its_words_are_shown(
    project, running, change_code
):
    change_code("serving/app.py", "def create_app(", "def create_another_app(")
    with pytest.raises(DeploymentError, match="cannot import name 'create_app'"):
        deploy(project, say_nothing, port=0)
    assert ask(running.url)
    assert find_running(project / FOLDER) == running


def test_a_wrong_key_is_told(running):
    with pytest.raises(SmokeTestError, match="answers 401"):
        ask(running.url, key="wrong")


def test_the_smoke_test_waits_for_the_version_that_is_wanted(project, running, model):
    with pytest.raises(SmokeTestError, match="not version 2"):
        ask(running.url, wait_seconds=0, model_version=2)
    publish_small(project, small_panel(), model, 2)
    assert ask(running.url, model_version=2).model_version == 2


def test_a_publication_made_elsewhere_is_followed_by_the_running_app(
    project, running, tmp_path, model
):
    other = make_project(tmp_path / "other")
    publish_small(other, small_panel(seed=5), model, 7)
    shutil.copytree(other / PUBLICATION, tmp_path / "fetched")
    shutil.rmtree(other)
    taken = copy_publication(tmp_path / "fetched", project / PUBLICATION)
    assert taken.model_version == 7
    assert ask(running.url, model_version=7).model_version == 7


def test_a_publication_that_is_delivered_once_more_undoes_no_later_rollback(
    project, tmp_path, model
):
    publish_small(project, small_panel(), model, 9)
    shutil.copytree(project / PUBLICATION, tmp_path / "fetched")
    older = tmp_path / "fetched/current.json"
    contents = json.loads(older.read_text())
    older.write_text(json.dumps(contents | {"published_at": "2017-01-01T00:00:00+00:00"}))
    publish_small(project, small_panel(), model, 8)
    before = (project / PUBLICATION / "current.json").read_bytes()
    assert copy_publication(tmp_path / "fetched", project / PUBLICATION).model_version == 8
    assert (project / PUBLICATION / "current.json").read_bytes() == before


def test_a_damaged_publication_is_not_taken_over(project, tmp_path):
    shutil.copytree(project / PUBLICATION, tmp_path / "fetched")
    for path in (tmp_path / "fetched/models").rglob("*.json"):
        path.write_bytes(path.read_bytes()[:-5])
    before = (project / PUBLICATION / "current.json").read_bytes()
    with pytest.raises(PublicationError, match="cannot be read"):
        copy_publication(tmp_path / "fetched", project / PUBLICATION)
    assert (project / PUBLICATION / "current.json").read_bytes() == before


def test_an_app_that_was_killed_is_deployed_anew_at_its_address(project, running):
    os.kill(running.pid, signal.SIGKILL)
    wait_for(lambda: not is_running(running))
    second = deploy(project, say_nothing, port=int(running.url.rpartition(":")[2]))
    assert second.replaced is None
    assert second.running.url == running.url
    assert ask(second.running.url)


def test_a_deployed_app_is_stopped(project, running):
    assert stop(project) == running
    assert stop(project) is None
    with pytest.raises(SmokeTestError, match="does not answer"):
        ask(running.url, wait_seconds=0)


def test_without_a_champion_nothing_is_deployed(tmp_path):
    project = make_project(tmp_path)
    with pytest.raises(PublicationError, match="No champion is published"):
        deploy(project, say_nothing, port=0)
