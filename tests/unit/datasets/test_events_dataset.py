import re
import sqlite3

import pytest
from sqlalchemy import insert

from event_rows import NOW, make_row
from grocery_demand.datasets import EventsDataset
from grocery_demand.serving.events.description import describe_refusal
from grocery_demand.serving.question import FieldProblem
from grocery_demand.serving.served_forecast import Client
from grocery_demand.storage.event_tables import (
    FAILURES,
    MISSES,
    PREDICTIONS,
    REFUSALS,
    open_database,
)

DAY_MINUTES = 24 * 60


@pytest.fixture
def database(tmp_path):
    """Five forecasts on one day, two the day before, one long ago; three refusals, one failure."""
    path = tmp_path / "events.db"
    engine = open_database(f"sqlite:///{path}")
    minutes = [*range(5), DAY_MINUTES, DAY_MINUTES + 1, 60 * DAY_MINUTES]
    rows = [make_row(i, long_range=i == 1, item_nbr=i % 2, client=f"c{i % 3}", place=i % 3 == 2)
            for i in minutes]  # fmt: skip
    refused = {"client": "x", "path": "/", "field": "date", "message": "no date"}
    with engine.begin() as connection:
        connection.execute(insert(PREDICTIONS), rows[::-1])
        connection.execute(
            insert(REFUSALS), [refused | {"time_ms": NOW - 60_000 * i} for i in (0, 1, DAY_MINUTES)]
        )
        failed = {"client": "x", "path": "/prediction", "status": 503}
        connection.execute(insert(FAILURES), [failed | {"time_ms": NOW}])
    engine.dispose()
    return path


def test_requests_and_refusals_are_counted_by_day(database):
    events = EventsDataset(filepath=str(database)).load()
    found = events.by_day.set_index("date")
    assert found["requests"].tolist() == [2, 5]
    assert found["long_range"].tolist() == [0, 1]
    assert found["refused"].tolist() == [1, 2]
    assert found["failed"].tolist() == [0, 1]
    assert events.requests == 7
    assert events.refused == 3
    assert events.answered == 6
    assert (events.failed, events.failed_share) == (1, pytest.approx(1 / 10))
    assert events.refused_share == pytest.approx(3 / 10)
    assert events.long_range_share == pytest.approx(1 / 7)


def test_a_request_with_many_problems_is_refused_once(tmp_path):
    path = tmp_path / "events.db"
    problems = [FieldProblem(field, "wrong", "right") for field in ("date", "item_nbr")]
    client = Client("buyer", 0.0)
    entries = describe_refusal(problems, "/prediction", client, tag="refused", forwards=True)
    engine = open_database(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.execute(insert(REFUSALS), entries.refusals)
    engine.dispose()
    assert (len(entries.refusals), len(entries.outbox)) == (2, 1)
    assert EventsDataset(filepath=str(path)).load().refused == 1


def check_problem(path, told, caplog) -> None:
    """Monitoring goes on without events; what is wrong is logged and told."""
    events = EventsDataset(filepath=str(path)).load()
    assert re.search(told, events.problem)
    assert events.problem in caplog.messages
    assert (events.requests, len(events.newest)) == (0, 0)


@pytest.mark.parametrize("columns", ["seq integer, units real", "seq integer, id text"])
def test_a_log_with_other_columns_is_told_as_a_problem_with_its_mend(tmp_path, columns, caplog):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute(f"create table prediction_events ({columns})")
        connection.execute("insert into prediction_events values (1, 2)")
    check_problem(path, r"other\.db cannot be opened: .*\. See that", caplog)


def test_a_damaged_log_is_told_as_a_problem_with_its_mend(database, caplog):
    content = bytearray(database.read_bytes())
    content[len(content) // 2 :] = b"?" * (len(content) - len(content) // 2)
    database.write_bytes(content)
    check_problem(database, r"events\.db cannot be read: .*\. See that", caplog)


def test_products_stores_and_clients_are_counted_the_most_asked_first(database):
    events = EventsDataset(filepath=str(database)).load()
    assert events.products.to_dict("list") == {"item_nbr": [0, 1], "requests": [4, 3]}
    assert events.clients["requests"].tolist() == sorted(events.clients["requests"], reverse=True)
    assert events.stores["requests"].sum() == 7


def test_only_the_newest_are_loaded_with_their_features(database):
    newest = EventsDataset(filepath=str(database), newest=3).load().newest
    assert newest["prediction"].tolist() == [0.0, 1.0, 2.0]
    assert set(newest["features"]) == {"{}"}


def test_older_days_are_left_out(database):
    assert EventsDataset(filepath=str(database), days=100).load().requests == 8
    assert EventsDataset(filepath=str(database), days=1).load().requests == 5


def test_without_a_database_there_are_no_events_and_none_is_made(tmp_path):
    events = EventsDataset(filepath=str(tmp_path / "none.db")).load()
    assert events.requests == 0
    assert events.newest.empty
    assert list(tmp_path.iterdir()) == []


def test_the_environment_may_name_another_database(database, tmp_path, monkeypatch):
    monkeypatch.setenv("EVENTS_URL", f"sqlite:///{database}")
    assert EventsDataset(filepath=str(tmp_path / "none.db")).load().requests == 7


@pytest.fixture
def with_roles(tmp_path):
    """Ten questions: three answered by the canary, seven by the champion with a shadow each."""
    path = tmp_path / "roles.db"
    engine = open_database(f"sqlite:///{path}")
    given = [
        make_row(i, role="canary" if i < 3 else "champion", model_version=2 if i < 3 else 1,
                 latency_ms=float(i), client="buyer")
        for i in range(10)
    ]  # fmt: skip
    shadows = [
        make_row(i, id=f"shadow{i}", role="shadow", shadow_of=given[i]["id"], model_version=3,
                 prediction=2.0 * i, client="buyer")
        for i in range(3, 10)
    ]  # fmt: skip
    missed = {"time_ms": NOW, "model_version": 2, "mode": "canary", "reason": "slow"}
    with engine.begin() as connection:
        for row in [*given, *shadows]:
            connection.execute(insert(PREDICTIONS), row)
        connection.execute(insert(MISSES), [missed | {"requests": n} for n in (2, 5)])
    engine.dispose()
    return path


def test_forecasts_made_in_shadow_count_as_no_answer(with_roles):
    events = EventsDataset(filepath=str(with_roles)).load()
    assert events.requests == 10
    assert events.clients["requests"].tolist() == [10]
    assert len(events.newest) == 10
    assert 3 not in set(events.newest["model_version"])


def test_roles_are_counted_with_their_latencies(with_roles):
    roles = EventsDataset(filepath=str(with_roles)).load().roles.set_index("role")
    assert roles["requests"].to_dict() == {"canary": 3, "champion": 7, "shadow": 7}
    assert roles["latency_ms"].to_dict() == {"canary": 1.0, "champion": 6.0, "shadow": 1.0}


def test_shadows_stand_beside_what_was_given(with_roles):
    pairs = EventsDataset(filepath=str(with_roles)).load().pairs
    assert len(pairs) == 7
    assert (pairs["prediction"] == 2 * pairs["given_prediction"]).all()
    assert set(pairs["given_model_version"]) == {1}


def test_what_a_challenger_missed_is_summed_up_by_reason(with_roles):
    misses = EventsDataset(filepath=str(with_roles)).load().misses
    assert misses.to_dict("records") == [
        {"model_version": 2, "mode": "canary", "reason": "slow", "requests": 7}
    ]
