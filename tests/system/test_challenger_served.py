"""A challenger beside the champion, in the web app as a process of its own."""

import re

import pytest

from grocery_demand.core.rollout import take_share
from published import (
    FOLDER,
    beside,
    make_project,
    publish_small,
    serve,
    started_rows,
    wait_for,
)

AS_BROWSER = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def panel(long_panel):
    return long_panel


@pytest.fixture(scope="module")
def models(long_model, long_tree):
    return {1: long_model, 2: long_tree}


@pytest.fixture(scope="module")
def served(tmp_path_factory, panel, models):
    project = make_project(tmp_path_factory.mktemp("challenged"))
    publish_small(project, panel, models[1], 1)
    with serve(project) as app:
        yield app


@pytest.fixture
def client(served):
    with served.client() as client:
        yield client


@pytest.fixture
def publish(served, panel, models, client):
    """Publish the champion with a challenger or without, and wait until the app has followed."""

    def roles():
        told = client.get("/api/v1/model").json()["served"]
        return {role["role"]: (role["model_version"], role["share"]) for role in told}

    def publish(mode=None, share=1.0):
        challenger = beside(models[2], 2, mode, share) if mode else None
        publish_small(served.project, panel, models[1], 1, challenger=challenger)
        wait_for(lambda: roles().get(mode) == ((2, share) if mode else None))
        wait_for(lambda: len(roles()) == (2 if mode else 1))

    yield publish
    publish()


def ask_of(panel, row, step=3):
    series = panel.series.iloc[row]
    return {
        "date": str(panel.cutoff + step),
        "item_nbr": int(series["item_nbr"]),
        "store_nbr": int(series["store_nbr"]),
    }


def ask_all(client, panel) -> bytes:
    """Return all that the app says of every series, but for ids."""
    told = b""
    for row in started_rows(panel):
        asked = ask_of(panel, int(row))
        told += client.get("/prediction", params=asked).content + b"\n"
        told += client.get("/", params=asked, headers=AS_BROWSER).content
    questions = [ask_of(panel, int(row), step) for row in started_rows(panel) for step in (1, 40)]
    told += client.post("/api/v1/forecasts", json={"requests": questions}).content
    return re.sub(rb"[0-9a-f]{32}", b"ID", told)


def test_a_shadow_changes_no_byte_of_any_answer_and_is_kept(client, panel, publish):
    alone = ask_all(client, panel)
    before = client.get("/api/v1/events").json()["total"]
    publish("shadow")
    assert ask_all(client, panel) == alone
    n_asked = 4 * len(started_rows(panel))
    found = {"q": "role:shadow model_version:2", "size": 1000}
    wait_for(lambda: client.get("/api/v1/events", params=found).json()["total"] == n_asked)
    shadows = client.get("/api/v1/events", params=found).json()["events"]
    given = client.get("/api/v1/events", params={"size": n_asked}).json()
    assert given["total"] == before + n_asked
    by_id = {event["id"]: event for event in given["events"]}
    assert {shadow["shadow_of"] for shadow in shadows} == set(by_id)
    for shadow in shadows:
        for name in ("date", "store_nbr", "item_nbr", "cutoff", "client", "onpromotion"):
            assert shadow[name] == by_id[shadow["shadow_of"]][name]


def test_nobody_sees_a_shadow_who_does_not_ask_for_it(client, panel, publish):
    publish("shadow")
    asked = ask_of(panel, int(started_rows(panel)[0]))
    client.get("/prediction", params=asked)
    wait_for(lambda: client.get("/api/v1/events?q=role:shadow").json()["total"] > 0)
    for path in ("/events", "/api/v1/events", "/api/v1/events.csv"):
        assert "shadow" not in re.sub(r"<details class=.help.*|shadow_of|of_shadow", "",
                                      client.get(path).text, flags=re.DOTALL)  # fmt: skip
    assert "shadow" in client.get("/events?q=role:shadow").text
    metrics = client.get("/metrics").text
    assert 'model_version{role="shadow"} 2.0' in metrics
    assert re.search(r'forecasts_total\{model_version="2",role="shadow"\} [1-9]', metrics)


@pytest.mark.parametrize("share", [0.25, 0.6])
def test_a_canary_answers_the_series_of_its_share_in_every_way_of_asking(
    client, panel, publish, share
):
    publish("canary", share)
    taken = take_share(panel.series, beside(None, 2, "canary", share).rollout)
    rows = [int(row) for row in started_rows(panel)]
    expected = [2 if taken[row] else 1 for row in rows]
    assert set(expected) == {1, 2}
    for _ in range(2):
        answers = [client.get("/prediction", params=ask_of(panel, row)) for row in rows]
        assert [int(answer.headers["X-Model-Version"]) for answer in answers] == expected
    questions = {"requests": [ask_of(panel, row) for row in rows]}
    many = client.post("/api/v1/forecasts", json=questions).json()["answers"]
    assert [answer["forecast"]["model_version"] for answer in many] == expected
    roles = {1: "champion", 2: "canary"}
    for answer, one, version in zip(many, answers, expected, strict=True):
        forecast = answer["forecast"]
        assert forecast["role"] == roles[version]
        assert float(one.text) == forecast["units"]
        event = client.get("/api/v1/events", params={"q": f"id:{forecast['event_id']}"}).json()
        assert event["events"][0]["model_version"] == version
        assert event["events"][0]["role"] == roles[version]
    canary = ask_of(panel, rows[expected.index(2)])
    page = client.get("/", params=canary, headers=AS_BROWSER).text
    assert "Model version 2 (decision_tree)" in page


def test_the_model_page_and_metrics_tell_who_answers_what_share(client, publish):
    publish("canary", 0.25)
    page = client.get("/model", headers=AS_BROWSER).text
    assert re.search(r"<td>canary</td><td>2</td><td>25 %</td>", page)
    assert re.search(r"<td>champion</td><td>1</td><td>75 %</td>", page)
    metrics = client.get("/metrics").text
    assert 'model_share{role="canary"} 0.25' in metrics
    assert 'model_problem{role="canary"} 0.0' in metrics


def test_a_damaged_challenger_is_said_and_the_champion_answers(
    served, client, panel, models, publish
):
    publish()
    rows = [int(row) for row in started_rows(panel)]
    challenger = beside(models[2], 2, "canary", 1.0)
    folder = served.project / FOLDER
    publish_small(served.project, panel, models[1], 1, challenger=challenger)
    # The app may have loaded it whole by now: other checksums make it another model.
    for path in ("models/2/model/checksums.json", "models/2/model/final/model.skops"):
        (folder / path).write_bytes((folder / path).read_bytes() + b" ")
    (folder / "current.json").touch()

    def problem():
        told = client.get("/api/v1/model").json()["served"]
        return told[1]["problem"] if len(told) == 2 else None

    wait_for(lambda: problem() is not None)
    assert "not as they were written" in problem()
    assert "kedro challenger off" in client.get("/model", headers=AS_BROWSER).text
    assert 'model_problem{role="canary"} 1.0' in client.get("/metrics").text
    assert client.get("/health/ready").status_code == 200
    answers = [client.get("/prediction", params=ask_of(panel, row)) for row in rows]
    assert {answer.headers["X-Model-Version"] for answer in answers} == {"1"}
    publish_small(served.project, panel, models[1], 1, challenger=challenger)
    wait_for(lambda: problem() is None)
    answer = client.get("/prediction", params=ask_of(panel, rows[0]))
    assert answer.headers["X-Model-Version"] == "2"
