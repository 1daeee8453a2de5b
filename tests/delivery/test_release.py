"""`make release` in a clone with small sales: what it makes, what it refuses, what it undoes.

The tests are one story and stand in its order.
"""

import json
import re
import sys
import urllib.request
from pathlib import Path

import pytest

from clones import clone, commit, git, make_repository, run
from grocery_demand.serving.handover import find_running, is_running
from ports import free_port
from project_copies import EASY_GATE
from published import FOLDER as PUBLICATION
from published import as_json

WEAK = f"training.max_training_rows=10000,model_settings.lightgbm.n_estimators=12,{EASY_GATE}"
BETTER = f"training.max_training_rows=20000,model_settings.lightgbm.n_estimators=25,{EASY_GATE}"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A clone with a commit; what is deployed from it is stopped at the end."""
    folder = tmp_path_factory.mktemp("release")
    repository = make_repository(tmp_path_factory.getbasetemp() / "repository")
    place = clone(repository, folder / "clone")
    yield place
    if find_running(place / "build/deploy"):
        run(["make", "stop"], place)


@pytest.fixture(scope="module")
def port() -> str:
    return str(free_port())


def release(project: Path, port: str, **variables: str):
    """Type `make release`; the outcome has stdout, stderr and returncode."""
    given = {"CHECKS": "none", "PORT": port, "PARAMS": WEAK} | variables
    return run(["make", "release"], project, check=False, **given)


def served(port: str) -> dict:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=30) as answer:
        return json.load(answer)


def published_version(project: Path) -> int:
    return as_json(project / PUBLICATION / "current.json")["model_version"]


def test_one_command_leads_from_a_commit_to_an_app_that_answers(project, port):
    outcome = release(project, port)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    head = git(project, "rev-parse", "HEAD").strip()
    assert f"Released commit {head[:12]}, smoke-tested:" in outcome.stdout
    assert re.search(r"model +version 1, sales up to 2017-05-31", outcome.stdout)
    assert f"app     http://127.0.0.1:{port}, process " in outcome.stdout
    assert "Next:\n  kedro rollback" in outcome.stdout
    assert served(port)["model_version"] == 1
    assert f"http://127.0.0.1:{port} works: version 1." in run(["make", "smoke"], project).stdout
    assert not git(project, "status", "--short")


def test_changes_that_are_not_committed_are_named_and_not_released(project, port):
    (project / "README.md").write_text("changed")
    (project / "new.txt").write_text("new")
    outcome = release(project, port)
    git(project, "checkout", "--quiet", "README.md")
    (project / "new.txt").unlink()
    assert outcome.returncode != 0
    for told in ("  M README.md", "?? new.txt", "--allow-dirty"):
        assert told in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_check_that_fails_ends_it_before_anything_is_trained(project, port):
    before = published_version(project)
    path = project / "src/grocery_demand/daily.py"
    path.write_text(path.read_text() + "import os\n")
    commit(project, "Import without use")
    outcome = release(project, port, CHECKS="quick", PARAMS=WEAK)
    git(project, "revert", "--no-edit", "HEAD")
    assert outcome.returncode != 0
    assert "`make check` failed with status 2" in outcome.stderr
    assert published_version(project) == before


def test_a_model_that_the_gate_rejects_is_not_released(project, port):
    process = find_running(project / "build/deploy")
    outcome = release(project, port, PARAMS="training.model=seasonal_naive")
    assert outcome.returncode != 0
    assert "stays champion" in outcome.stderr
    assert "The release ends here: `kedro run" in outcome.stderr
    assert (published_version(project), served(port)["model_version"]) == (1, 1)
    assert find_running(project / "build/deploy") == process


def test_a_smoke_test_that_fails_takes_the_new_champion_back(project, port):
    process = find_running(project / "build/deploy")
    path = project / "src/grocery_demand/serving/api.py"
    text = path.read_text()
    assert "Response(str(forecast.units)" in text
    path.write_text(text.replace("str(forecast.units)", "str(forecast.units + 9)"))
    commit(project, "Answer wrongly")
    outcome = release(project, port, PARAMS=BETTER)
    git(project, "revert", "--no-edit", "HEAD")
    assert outcome.returncode != 0
    assert "The event says" in outcome.stderr
    assert "Rolled back: version 1 is champion again" in outcome.stderr
    assert published_version(project) == 1
    asked = ["kedro", "smoke", "--url", f"http://127.0.0.1:{port}", "--model-version", "1"]
    run([sys.executable, "-m", *asked], project)
    assert find_running(project / "build/deploy") == process


def test_the_standing_champion_is_released_with_new_code_by_another_process(project, port):
    process = find_running(project / "build/deploy")
    typed = ["kedro", "release", "--checks", "none", "--no-train", "--port", port]
    outcome = run([sys.executable, "-m", *typed], project)
    assert "sales up to 2017-05-31, as before" in outcome.stdout
    assert f"instead of process {process.pid}" in outcome.stdout
    assert served(port)["model_version"] == 1
    assert not is_running(process)


def test_the_lineage_is_a_site_that_names_no_path_of_this_machine(project):
    run(["make", "lineage"], project)
    site = project / "build/lineage/build"
    names = {node["name"] for node in as_json(site / "api/main")["nodes"]}
    assert {"raw_sales", "make_panel", "champion", "publication"} <= names
    texts = [path.read_text() for path in (site / "api").rglob("*") if path.is_file()]
    assert not [text for text in texts if str(project) in text]
