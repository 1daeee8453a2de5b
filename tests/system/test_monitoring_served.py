"""What monitoring found, on the page and for programs, from a web app as a process of its own."""

import datetime as dt
import json
import re

import pytest

from monitored import (
    HOSTILE,
    SUMMARY,
    bare_summary,
    make_summary,
    with_every_number,
    with_every_text,
    write_summary,
)
from published import make_project, publish_small, serve

AS_BROWSER = {"Accept": "text/html"}
COMMAND = "kedro run --pipeline monitor"


@pytest.fixture(scope="module")
def served(tmp_path_factory, long_panel, long_model):
    project = make_project(tmp_path_factory.mktemp("monitored"))
    publish_small(project, long_panel, long_model, 1)
    with serve(project) as app:
        yield app


@pytest.fixture
def client(served):
    with served.client() as client:
        yield client
    (served.project / SUMMARY).unlink(missing_ok=True)


def read_page(client) -> str:
    page = client.get("/monitoring", headers=AS_BROWSER)
    assert page.status_code == 200
    return page.text


def test_without_a_summary_it_says_what_makes_one(client):
    assert f"Nothing was monitored yet; <code>{COMMAND}</code>" in read_page(client)
    problem = client.get("/api/v1/monitoring")
    assert problem.status_code == 404
    assert problem.headers["content-type"] == "application/problem+json"
    assert COMMAND in problem.json()["detail"]


def test_the_page_tells_advice_checks_plots_and_tables(served, client):
    write_summary(served.project)
    page = read_page(client)
    order = ["Retrain", "<pre>kedro run --pipeline retrain</pre>", "Simulated data",
             "What needs a look", "In order", "Live error", "Error by step", "Drift of sales",
             "Training–serving skew", "Fairness", "Who asks for what",
             "Files of sales"]  # fmt: skip
    found = [page.index(text) for text in order]
    assert found == sorted(found)
    assert page.count("<svg") == 6
    assert "2017-06-26 (3 days of sales)" in page
    assert 'role="alert"' not in page
    assert " style=" not in page


def test_programs_get_the_summary_as_it_was_written(served, client):
    path = write_summary(served.project)
    written = json.loads(path.read_text())
    told = client.get("/api/v1/monitoring").json()
    assert dt.datetime.fromisoformat(told.pop("made_at")) == dt.datetime.fromisoformat(
        written.pop("made_at")
    )
    assert told == written


def test_a_summary_that_changes_is_followed_at_once(served, client):
    for decision, told in (("keep", "Keep the model"), ("check_feed", "Check the feed")):
        advice = make_summary()["advice"] | {"decision": decision}
        write_summary(served.project, advice=advice)
        assert told in read_page(client)


@pytest.mark.parametrize(("days_ago", "is_new"), [(0, True), (3, False)])
def test_a_champion_that_has_just_taken_over_is_told(served, client, days_ago, is_new):
    since = str(dt.date(2017, 6, 28) - dt.timedelta(days_ago))
    told = {"decision": "keep", "champion_since": since, "former_version": 6}
    write_summary(served.project, model_version=7, advice=make_summary()["advice"] | told)
    page = read_page(client)
    assert ("Version 7 has just taken the place of version 6." in page) == is_new
    assert f"in place of version 6 since {since}" in page


@pytest.mark.parametrize(
    ("contents", "told"),
    [
        ("{", "is not JSON"),
        ("", "is not JSON"),
        ("[" * 50_000, "is not JSON"),
        ("[1, 2]", "no summary of monitoring"),
        (json.dumps(make_summary(version=2)), "reads version 1"),
        (json.dumps(make_summary(advice={"decision": HOSTILE})), "advice.decision"),
        (json.dumps(make_summary(version=HOSTILE)), "reads version 1"),
    ],
)
def test_a_summary_that_cannot_be_read_is_told_and_stops_nothing(served, client, contents, told):
    write_summary(served.project).write_text(contents)
    page = read_page(client)
    assert "The summary cannot be read." in page
    assert told in page
    assert COMMAND in page
    assert "<script>" not in page
    problem = client.get("/api/v1/monitoring")
    assert problem.status_code == 503
    assert problem.headers["content-type"] == "application/problem+json"
    assert told in problem.json()["detail"]
    assert client.get("/health/ready").status_code == 200


def test_an_old_summary_and_one_of_another_version_are_marked(served, client):
    made_at = (dt.datetime.now(dt.UTC) - dt.timedelta(days=5, hours=1)).isoformat()
    write_summary(served.project, made_at=made_at, model_version=3)
    page = read_page(client)
    assert "Monitored 5 days ago" in page
    assert "of model version 3, but version 1 is served" in page


@pytest.mark.parametrize(
    "summary",
    [
        bare_summary(),
        with_every_number(None, make_summary()),
        with_every_number(-1, make_summary()),
    ],
    ids=["nothing known", "no number known", "negative numbers"],
)
def test_what_is_not_known_is_left_out(served, client, summary):
    write_summary(served.project, **summary | {"version": 1, "model_version": None})
    page = read_page(client)
    assert "None" not in re.sub(r"<[^>]*>", "", page)
    assert client.get("/api/v1/monitoring").status_code == 200
    if not summary["checks"]:
        assert "<table" not in page
        assert "<svg" not in page


def test_foreign_text_is_escaped_everywhere(served, client):
    write_summary(served.project, **with_every_text(HOSTILE, make_summary()))
    page = read_page(client)
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)") > 50
    assert "{{7*7}}" in page


def test_a_large_summary_is_answered_quickly(served, client):
    rows = make_summary()["fairness"] * 40
    write_summary(served.project, fairness=rows)
    assert (served.project / SUMMARY).stat().st_size > 100_000
    read_page(client)
    assert client.get("/monitoring", headers=AS_BROWSER).elapsed < dt.timedelta(seconds=1)


def test_the_file_is_named_by_a_variable_too(served, tmp_path):
    path = write_summary(tmp_path)
    project = make_project(tmp_path / "elsewhere")
    env = {"MONITORING_FILE": str(path)}
    with serve(project, env=env, ready=False) as app, app.client() as client:
        assert client.get("/api/v1/monitoring").json()["model_version"] == 1
        assert "Retrain" in read_page(client)
