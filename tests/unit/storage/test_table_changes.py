"""A database of events of an earlier version goes on, with what is new in it."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import inspect, select

from earlier_events import INSERT, TABLE, VALUES
from grocery_demand.serving.events.search import Search, find_events
from grocery_demand.storage.event_tables import PREDICTIONS, open_database


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "events.db"
    with sqlite3.connect(path) as connection:
        connection.execute(TABLE)
        connection.execute(INSERT, VALUES)
    return path


def test_events_of_an_earlier_version_are_the_champions(path):
    engine = open_database(f"sqlite:///{path}")
    with engine.connect() as connection:
        event = connection.execute(select(PREDICTIONS)).one()
    assert (event.role, event.shadow_of, event.prediction) == ("champion", None, 4.5)
    assert find_events(engine, Search("role:champion", 0, 2**62), 10)[0]["item_nbr"] == 99197
    indexes = {index["name"] for index in inspect(engine).get_indexes("prediction_events")}
    assert "ix_prediction_events_time_ms_role" in indexes
    engine.dispose()


def test_a_process_of_an_earlier_version_goes_on_writing(path):
    open_database(f"sqlite:///{path}").dispose()
    with sqlite3.connect(path) as connection:
        connection.execute(INSERT, VALUES)
        roles = connection.execute("select role from prediction_events").fetchall()
    assert roles == [("champion",), ("champion",)]


def test_it_may_be_opened_again_and_by_several_at_once(path):
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(open_database, [f"sqlite:///{path}"] * 8))
    for engine in engines:
        assert len(find_events(engine, Search("", 0, 2**62), 10)) == 1
        engine.dispose()


def test_a_new_database_has_the_same_columns_as_one_that_was_changed(path, tmp_path):
    changed = open_database(f"sqlite:///{path}")
    new = open_database(f"sqlite:///{tmp_path}/new.db")
    names = [
        {column["name"] for column in inspect(engine).get_columns("prediction_events")}
        for engine in (changed, new)
    ]
    assert names[0] == names[1]
    for engine in (changed, new):
        engine.dispose()
