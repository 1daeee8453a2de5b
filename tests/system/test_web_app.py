"""The web app as a process of its own: answers, events, a champion that changes, kill -9."""

import asyncio
import contextlib
import csv
import io
import itertools
import json
import math
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from sqlalchemy import make_url

from grocery_demand.core.forecaster import FORECAST
from published import (
    FOLDER,
    make_project,
    publish_small,
    serve,
    start_server,
    started_rows,
    train_small,
    wait_for,
)
from worlds import make_panel


@pytest.fixture(scope="module")
def panel(long_panel):
    return long_panel


@pytest.fixture(scope="module")
def models(long_panel, long_model):
    return {1: long_model, 2: train_small(long_panel, seed=2)}


@pytest.fixture(scope="module")
def verdict():
    check = {"name": "nwrmsle", "kind": "bar", "passed": True, "reason": "Within <the> bar."}
    return {"outcome": "promote", "reasons": ["Promoted: it passes."], "checks": [check]}


@pytest.fixture(scope="module")
def served(tmp_path_factory, panel, models, verdict):
    project = make_project(
        tmp_path_factory.mktemp("served"), tenant="user1", max_body_bytes=3_000_000,
        request_timeout_seconds=1.0,
    )  # fmt: skip
    publish_small(project, panel, models[1], 1, verdict)
    with serve(project) as app:
        yield app


@pytest.fixture
def client(served):
    with served.client() as client:
        yield client


def ask_of(panel, row, step, **others):
    series = panel.series.iloc[row]
    return {
        "date": str(panel.cutoff + step),
        "item_nbr": int(series["item_nbr"]),
        "store_nbr": int(series["store_nbr"]),
    } | others


def events_in(project: Path) -> list[dict]:
    with sqlite3.connect(project / "data/07_model_output/events.db") as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute("select * from prediction_events order by seq").fetchall()
    return [dict(row) for row in rows]


def test_the_served_forecast_equals_the_batch_forecast(client, panel, models):
    steps = np.array([1, 7, 16, 17, 60, models[1].furthest_step])
    batch = models[1].forecast(panel, panel.n_days - 1, steps)
    pairs = itertools.product(range(len(panel.series)), steps.tolist())
    answer = client.post(
        "/api/v1/forecasts", json={"requests": [ask_of(panel, *pair) for pair in pairs]}
    )
    found = [answer["forecast"] for answer in answer.json()["answers"]]
    expected = batch[list(FORECAST)].to_numpy(float).round(4)
    served = [
        [f["units"], *f["quantiles"].values(), f["interval"]["low"], f["interval"]["high"]]
        for f in found
    ]
    np.testing.assert_array_equal(served, expected)
    assert {f["interval"]["level"] for f in found} == {0.8}
    assert [f["long_range"] for f in found] == batch["long_range"].tolist()


def test_a_date_on_which_the_store_was_closed_in_another_year_is_told(tmp_path):
    panel = make_panel(n_stores=2, n_items=2, n_days=420)
    closed, open_days = 5, np.ones_like(panel.open_days)
    date = str(panel.cutoff + closed)
    open_days[:, panel.day_of(f"{int(date[:4]) - 1}{date[4:]}")] = False
    panel = replace(panel, open_days=open_days)
    project = make_project(tmp_path)
    publish_small(project, panel, train_small(panel, "moving_average"), 1)
    row = int(started_rows(panel)[0])
    with serve(project) as app, app.client() as client:
        for step in (closed, closed + 1):
            asked = ask_of(panel, row, step)
            years = [int(asked["date"][:4]) - 1] if step == closed else []
            answer = client.post("/api/v1/forecasts", json={"requests": [asked]}).json()
            assert answer["answers"][0]["forecast"]["closed_years"] == years
            page = client.get("/", params=asked).text
            assert ("Will the store open?" in page) == bool(years)
            days = [f"{year}{asked['date'][4:]}" for year in years]
            assert all(f"nothing on {day}: the forecast is for the case" in page for day in days)


def test_a_promotion_asked_for_equals_one_that_is_planned(client, panel, models):
    row, step = int(started_rows(panel)[0]), 5
    for value in (0, 1):
        promotions = panel.promotions.copy()
        promotions[row, panel.n_days - 1 + step] = value
        changed = replace(panel, promotions=promotions)
        batch = models[1].forecast(changed, panel.n_days - 1, np.array([step]), np.array([row]))
        asked = ask_of(panel, row, step, onpromotion=bool(value))
        answer = client.post("/api/v1/forecasts", json={"requests": [asked]}).json()
        forecast = answer["answers"][0]["forecast"]
        assert forecast["units"] == round(float(batch["point"].iloc[0]), 4)
        assert forecast["onpromotion"] is bool(value)


def test_the_number_alone_is_what_the_workshops_client_gets(client, panel):
    answer = client.get("/prediction", params=ask_of(panel, 0, 3))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    asked = {"requests": [ask_of(panel, 0, 3)]}
    many = client.post("/api/v1/forecasts", json=asked).json()["answers"]
    assert float(answer.text) == many[0]["forecast"]["units"]


def test_questions_at_the_same_moment_get_their_own_answers(served, panel):
    asked = [ask_of(panel, row, step) for row in range(12) for step in (1, 9, 40)]
    with served.client() as client:
        alone = {str(a): client.get("/prediction", params=a).text for a in asked}
    together: dict[str, str] = {}

    def ask(part):
        with served.client() as client:
            for fields in part:
                together[str(fields)] = client.get("/prediction", params=fields).text

    threads = [threading.Thread(target=ask, args=(asked[i::6],)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


@pytest.mark.parametrize(
    ("changed", "field", "told"),
    [
        ({"date": None}, "date", "missing"),
        ({"date": "14/06/2017"}, "date", "not a date"),
        ({"date": "2031-01-01"}, "date", "too far ahead"),
        ({"date": "2015-07-01"}, "date", "is past"),
        ({"item_nbr": "1"}, "item_nbr", "no product"),
        ({"item_nbr": "\x00"}, "item_nbr", "no product"),
        ({"store_nbr": "99"}, "store_nbr", "no store"),
        ({"onpromotion": "maybe"}, "onpromotion", "maybe"),
    ],
)
def test_a_wrong_question_gets_problem_details(client, panel, changed, field, told):
    asked = {k: v for k, v in (ask_of(panel, 0, 3) | changed).items() if v is not None}
    answer = client.get("/prediction", params=asked)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 422
    assert problem["errors"][0]["field"] == field
    assert told in problem["errors"][0]["message"]
    assert problem["errors"][0]["valid"]


def test_one_wrong_entry_does_not_stop_the_others(client, panel):
    asked = [ask_of(panel, 0, 1), {"item_nbr": 1}, ask_of(panel, 1, 2)]
    told = client.post("/api/v1/forecasts", json={"requests": asked}).json()
    assert (told["answered"], told["refused"]) == (2, 1)
    assert ["forecast" in answer for answer in told["answers"]] == [True, False, True]
    assert {e["field"] for e in told["answers"][1]["errors"]} == {"date", "item_nbr"}


def test_ten_thousand_forecasts_go_in_one_body_and_no_more(client, panel, served):
    before = len(events_in(served.project))
    asked = [ask_of(panel, i % len(panel.series), 1 + i % 30) for i in range(10_000)]
    told = client.post("/api/v1/forecasts", json={"requests": asked}).json()
    assert told["answered"] == 10_000
    for question, answer in zip(asked, told["answers"], strict=True):
        assert question.items() <= answer["forecast"].items()
    assert len(events_in(served.project)) == before + 10_000
    refused = client.post("/api/v1/forecasts", json={"requests": [*asked, asked[0]]})
    assert refused.status_code == 422
    assert "10,000" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"\xff\xfe", 400), (b"[]", 422), (b"{}", 422),
        (b'{"requests": 1}', 422), (b'{"requests": [1]}', 422), (b" " * 3_000_001, 413),
    ],
)  # fmt: skip
def test_a_body_that_is_wrong_is_refused_with_a_reason(client, body, status):
    answer = client.post("/api/v1/forecasts", content=body)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_a_body_without_a_length_is_limited_too(client):
    parts = (b" " * 100_000 for _ in range(40))
    assert client.post("/api/v1/forecasts", content=parts).status_code == 413


def test_a_slow_body_is_given_up(served):
    released = threading.Event()

    def parts():
        yield b'{"requests": ['
        released.wait(10)
        yield b"]}"

    with served.client() as client:
        timer = threading.Timer(2.5, released.set)
        timer.start()
        # The server may hang up before all was sent.
        with contextlib.suppress(httpx.TransportError):
            assert client.post("/api/v1/forecasts", content=parts()).status_code == 408
        timer.cancel()
        released.set()
        assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize("sent", [b"", b"GET /predic", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: "])
def test_a_client_that_does_not_go_on_is_hung_up_on(served, sent):
    url = make_url(served.url)
    with socket.create_connection((url.host, url.port), timeout=20) as link:
        link.sendall(sent)
        assert link.recv(100) == b""


def test_an_event_tells_all_of_its_forecast(served, panel, models):
    asked = ask_of(panel, int(started_rows(panel)[1]), 4, onpromotion="true")
    with served.client(headers={"X-Client-Name": "ordering"}) as client:
        units = float(client.get("/prediction", params=asked).text)
        found = client.get("/api/v1/events", params={"q": "client:ordering", "size": 1}).json()
    event = found["events"][0]
    expected = {
        "tag": "user1.prediction", "model_name": "grocery-demand", "model_version": 1,
        "run_id": "run1", "cutoff": str(panel.cutoff), "date": asked["date"], "step": 4,
        "store_nbr": asked["store_nbr"], "item_nbr": asked["item_nbr"], "onpromotion": True,
        "promotion_assumed": True, "prediction": units, "long_range": False,
    }  # fmt: skip
    assert expected.items() <= event.items()
    assert set(models[1].final.input_names) <= set(event["features"])
    assert event["features"]["onpromotion"] == 1
    assert event["quantile_0.1"] <= event["quantile_0.5"] <= event["quantile_0.9"]
    assert all({"driver", "factor"} == set(c) for c in event["contributions"])


def test_events_are_exported_as_csv_that_no_spreadsheet_executes(served, panel):
    with served.client(headers={"X-Client-Name": "=HYPERLINK(1)"}) as client:
        client.get("/prediction", params=ask_of(panel, 0, 1))
        text = client.get("/api/v1/events.csv", params={"q": 'client:"=HYPERLINK(1)"'}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["client"] for row in rows] == ["'=HYPERLINK(1)"]
    assert rows[0]["tag"] == "user1.prediction"


def test_what_was_refused_is_kept_too(served):
    with served.client(headers={"X-Client-Name": "careless"}) as client:
        client.get("/prediction", params={"date": "2016-01-01", "item_nbr": "x"})
    database = served.project / "data/07_model_output/events.db"

    def fields():
        with sqlite3.connect(database) as connection:
            query = "select field from refused_requests where client = 'careless'"
            return [field for (field,) in connection.execute(query)]

    wait_for(lambda: "item_nbr" in fields())


def test_bodies_that_are_refused_as_a_whole_are_kept_without_their_contents(served, panel):
    entry = ask_of(panel, 0, 1)
    bodies = [b'{"secret', b'{"requests": "secret"}', b"{}", b'{"requests": ["secret"]}']
    bodies.append(json.dumps({"requests": [entry] * 10_001}).encode())
    with served.client(headers={"X-Client-Name": "garbled"}) as client:
        answers = [client.post("/api/v1/forecasts", content=body) for body in bodies]
    assert [answer.status_code for answer in answers] == [400, 422, 422, 422, 422]
    database = served.project / "data/07_model_output/events.db"

    def rows():
        with sqlite3.connect(database) as connection:
            query = "select path, field, problem, message from refused_requests where client = ?"
            return connection.execute(query, ["garbled"]).fetchall()

    wait_for(lambda: len(rows()) == len(bodies))
    assert {row[:3] for row in rows()} == {("/api/v1/forecasts", "body", 0)}
    messages = [message for *_, message in rows()]
    assert messages == [answer.json()["detail"] for answer in answers]
    assert "secret" not in " ".join(messages)


def test_metrics_are_in_prometheus_format(client, panel):
    client.get("/prediction", params=ask_of(panel, 0, 1))
    text = client.get("/metrics").text
    assert re.search(r'http_requests_total\{path="/prediction",status="200"\} \d+', text)
    assert 'model_version{role="champion"} 1.0' in text
    assert "events_queued 0.0" in text
    assert float(re.search(r"^events_written_total (\S+)", text, re.MULTILINE)[1]) > 0
    assert 'path="/nonsense' not in text


def test_the_api_is_described_with_examples(client):
    described = client.get("/openapi.json").json()
    paths = ("/prediction", "/api/v1/forecasts", "/api/v1/products", "/api/v1/stores",
             "/api/v1/model", "/api/v1/events", "/health/ready", "/metrics")  # fmt: skip
    assert set(paths) <= set(described["paths"])
    body = described["paths"]["/api/v1/forecasts"]["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"]["examples"]


def test_products_stores_and_model_are_listed(client, panel):
    products = client.get("/api/v1/products", params={"q": "dairy"}).json()
    assert {product["family"] for product in products["products"]} == {"DAIRY"}
    assert products["total"] == panel.series["item_nbr"].nunique()
    stores = client.get("/api/v1/stores").json()
    assert [s["store_nbr"] for s in stores["stores"]] == panel.stores["store_nbr"].tolist()
    model = client.get("/api/v1/model").json()
    assert (model["model_version"], model["cutoff"]) == (1, str(panel.cutoff))
    assert model["verdict"]["outcome"] == "promote"


PAGES = ("/", "/model", "/events", "/monitoring", "/docs")


@pytest.mark.parametrize("path", PAGES)
def test_pages_work_without_a_script_and_let_nothing_foreign_in(client, path):
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r'(src|href)="(?!/|#)[^"]', answer.text)
    assert " style=" not in answer.text


def test_what_people_type_is_escaped(client):
    evil = "<script>alert(1)</script>"
    for path, query in (("/", {"item_nbr": evil, "date": evil}), ("/events", {"q": evil})):
        text = client.get(path, params=query, headers={"Accept": "text/html"}).text
        assert "<script>alert" not in text
    model = client.get("/model").text
    assert "Within &lt;the&gt; bar." in model


def test_the_buyers_page_answers_without_a_script(client, panel):
    row = int(started_rows(panel)[0])
    asked = ask_of(panel, row, 2)
    page = client.get("/", params=asked).text
    assert "units expected" in page
    answer = client.post("/api/v1/forecasts", json={"requests": [asked]}).json()["answers"][0]
    low, high = (answer["forecast"]["interval"][bound] for bound in ("low", "high"))
    assert f"between {math.floor(low):,} and {math.ceil(high):,} on four days of five" in page
    assert "Recent weeks let expect" in page
    assert "Long-range" not in page
    assert "Long-range" in client.get("/", params=ask_of(panel, row, 30)).text
    past = client.get("/", params=ask_of(panel, row, -5)).text
    assert "it was sold, not forecast" in past
    wrong = client.get("/", params=ask_of(panel, row, 900))
    assert wrong.status_code == 422
    assert "too far ahead" in wrong.text


def test_an_unknown_page_says_so_to_people_and_programs(client):
    page = client.get("/nothing", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "There is no such page" in page.text
    problem = client.get("/api/v1/nothing")
    assert problem.status_code == 404
    assert problem.json()["title"] == "Not Found"
    assert client.post("/prediction").status_code == 405


def test_the_process_holds_neither_kedro_nor_mlflow_nor_training_code(served):
    maps = Path(f"/proc/{served.process.pid}/maps").read_text()
    assert "lightgbm" in maps
    status = Path(f"/proc/{served.process.pid}/status").read_text()
    resident_mb = int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
    assert resident_mb < 400


def test_a_changed_champion_is_followed_without_a_failed_request(tmp_path, panel, models):
    project = make_project(tmp_path)
    publish_small(project, panel, models[1], 1)
    asked = ask_of(panel, int(started_rows(panel)[0]), 3)
    seen: list[int] = []
    failed: list[object] = []
    stop = threading.Event()

    def keep_asking(url):
        with httpx.Client(base_url=url, timeout=30) as client:
            while not stop.is_set():
                answer = client.post("/api/v1/forecasts", json={"requests": [asked]})
                if answer.status_code != 200:
                    failed.append(answer.text)
                    continue
                version = answer.json()["answers"][0]["forecast"]["model_version"]
                if not seen or seen[-1] != version:
                    seen.append(version)

    with serve(project) as app:
        asking = threading.Thread(target=keep_asking, args=(app.url,))
        asking.start()
        for number, version in ((1, 1), (2, 2), (1, 1), (2, 3)):
            publish_small(project, panel, models[number], version)
            wait_for(lambda version=version: bool(seen) and seen[-1] == version, seconds=20)
        stop.set()
        asking.join()
    assert failed == []
    assert seen == [1, 2, 1, 3]


def test_without_a_champion_it_starts_says_so_and_picks_one_up(tmp_path, panel, models):
    project = make_project(tmp_path)
    with serve(project, ready=False) as app, app.client() as client:
        assert client.get("/health/live").status_code == 200
        wait_for(lambda: client.get("/health/ready").status_code == 503)
        for path in PAGES[:4]:
            page = client.get(path, headers={"Accept": "text/html"})
            assert "No champion is published" in page.text
            assert "kedro run" in page.text
        problem = client.get("/prediction", params={"date": "2016-02-01", "item_nbr": "1"})
        assert (problem.status_code, problem.json()["status"]) == (503, 503)
        publish_small(project, panel, models[1], 1)
        app.wait_until_ready()
        assert client.get("/prediction", params=ask_of(panel, 0, 1)).status_code == 200


def test_a_publication_that_cannot_be_read_leaves_the_served_one(tmp_path, panel, models):
    project = make_project(tmp_path)
    publish_small(project, panel, models[1], 1)
    with serve(project) as app, app.client() as client:
        pointer = project / FOLDER / "current.json"
        pointer.write_text("{")
        asked = ask_of(panel, 0, 1)
        for _ in range(30):
            assert client.get("/prediction", params=asked).status_code == 200
        publish_small(project, panel, models[2], 2)
        wait_for(lambda: client.get("/health/ready").json()["model_version"] == 2)


def test_kill_9_under_load_loses_no_answered_event(tmp_path, panel, models):
    project = make_project(tmp_path)
    publish_small(project, panel, models[1], 1)
    answered: set[str] = set()
    enough = threading.Event()

    def ask(url, i):
        with httpx.Client(base_url=url, timeout=10, headers={"X-Client-Name": f"c{i}"}) as client:
            for n in itertools.count():
                asked = {"requests": [ask_of(panel, (i + n) % len(panel.series), 1 + n % 16)]}
                try:
                    answer = client.post("/api/v1/forecasts", json=asked)
                except httpx.TransportError:
                    return
                answered.add(answer.json()["answers"][0]["forecast"]["event_id"])
                if len(answered) > 300:
                    enough.set()

    with serve(project) as app:
        threads = [threading.Thread(target=ask, args=(app.url, i)) for i in range(8)]
        for thread in threads:
            thread.start()
        assert enough.wait(60)
        app.process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()
    kept = {event["id"] for event in events_in(project)}
    assert answered <= kept
    with serve(project) as app, app.client() as client:
        assert client.get("/api/v1/events").json()["total"] == len(kept)


def test_no_forecast_is_given_that_cannot_be_kept(tmp_path, panel, models):
    project = make_project(tmp_path)
    publish_small(project, panel, models[1], 1)
    with serve(project) as app, app.client() as client:
        with sqlite3.connect(project / "data/07_model_output/events.db") as connection:
            connection.execute("drop table prediction_events")
        refused = client.get("/prediction", params=ask_of(panel, 0, 1))
        assert refused.status_code == 503
        assert "Events cannot be written" in refused.json()["detail"]
        assert client.get("/health/ready").status_code == 503


def test_an_answer_that_failed_is_counted_once_it_can_be_written(tmp_path, panel, models):
    project = make_project(tmp_path)
    publish_small(project, panel, models[1], 1)
    database = project / "data/07_model_output/events.db"

    def change(command: str) -> None:
        with sqlite3.connect(database) as connection:
            connection.execute(command)

    with serve(project) as app, app.client(headers={"X-Client-Name": "buyer"}) as client:
        change("alter table prediction_events rename to away")
        assert client.get("/prediction", params=ask_of(panel, 0, 1)).status_code == 503
        assert client.get("/health/ready").status_code == 503
        change("alter table away rename to prediction_events")
        assert client.get("/prediction", params=ask_of(panel, 0, 1)).status_code == 200
    with sqlite3.connect(database) as connection:
        failed = connection.execute("select client, path, status from failed_requests").fetchall()
    assert failed == [("buyer", "/prediction", 503)]


def test_with_a_key_only_those_who_have_it_get_in(tmp_path, panel, models):
    project = make_project(tmp_path)
    publish_small(project, panel, models[1], 1)
    asked = ask_of(panel, 0, 1)
    with serve(project, env={"GROCERY_DEMAND_API_KEY": "open sesame"}) as app:
        for headers, auth, status in (
            ({}, None, 401),
            ({"X-API-Key": "open"}, None, 401),
            ({"X-API-Key": "open sesame"}, None, 200),
            ({"Authorization": "Bearer open sesame"}, None, 200),
            ({}, ("anyone", "open sesame"), 200),
            ({"Authorization": "Basic !"}, None, 401),
        ):
            answer = httpx.get(f"{app.url}/prediction", params=asked, headers=headers, auth=auth)
            assert answer.status_code == status
        assert httpx.get(f"{app.url}/events").status_code == 401
        assert httpx.get(f"{app.url}/health/ready").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--host", "0.0.0.0"], "GROCERY_DEMAND_API_KEY"),
        (["--host", "256.1.1.1", "--insecure"], "cannot listen"),
        (["--port", "99999"], "0 to 65535"),
    ],
)
def test_a_start_that_is_refused_says_why(tmp_path, arguments, told):
    process = start_server(make_project(tmp_path), *arguments)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert told in stderr
    assert "Traceback" not in stderr + stdout


def test_a_port_that_is_taken_is_named(served, tmp_path):
    port = str(make_url(served.url).port)
    process = start_server(make_project(tmp_path), "--port", port)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"port {port}" in stderr
    assert "--port" in stderr


def test_no_request_made_from_its_description_breaks_it(served):
    program = Path(sys.executable).with_name("st")
    checks = (
        "not_a_server_error,status_code_conformance,content_type_conformance,"
        "response_schema_conformance,response_headers_conformance"
    )
    outcome = subprocess.run(
        [program, "run", f"{served.url}/openapi.json", "--checks", checks, "--no-color",
         "--max-examples", "30", "--generation-deterministic"],
        check=False, capture_output=True, text=True, cwd=served.project,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stdout[-3000:]
    with served.client() as client:
        assert client.get("/health/ready").status_code == 200
        assert "events_queued 0.0" in client.get("/metrics").text


def test_a_thousand_connections_are_all_answered(served, panel):
    url = make_url(served.url)
    query = "&".join(f"{name}={value}" for name, value in ask_of(panel, 0, 1).items())
    request = f"GET /prediction?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()

    async def ask_all() -> set[bytes]:
        links = []
        for _ in range(1000):
            links.append(await asyncio.open_connection(url.host, url.port))
            # At once: the app waits for a request no longer than for any other.
            links[-1][1].write(request)
        answers = await asyncio.gather(*(reader.read() for reader, _ in links))
        for _, writer in links:
            writer.close()
        return {answer.split(b"\r\n")[0] for answer in answers}

    before = len(events_in(served.project))
    assert asyncio.run(ask_all()) == {b"HTTP/1.1 200 OK"}
    assert len(events_in(served.project)) == before + 1000


def test_a_champion_of_scikit_learn_is_served_and_says_that_it_explains_nothing(
    tmp_path, panel, long_tree
):
    project = make_project(tmp_path)
    publish_small(project, panel, long_tree, 1)
    row = int(started_rows(panel)[0])
    batch = long_tree.forecast(panel, panel.n_days - 1, np.array([3]), np.array([row]))
    with serve(project) as app, app.client() as client:
        asked = {"requests": [ask_of(panel, row, 3)]}
        told = client.post("/api/v1/forecasts", json=asked).json()["answers"][0]["forecast"]
        page = client.get("/", params=ask_of(panel, row, 3)).text
    assert told["units"] == round(float(batch["point"].iloc[0]), 4)
    assert told["contributions"] == []
    assert "does not say what moved" in page
