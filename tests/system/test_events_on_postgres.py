"""Events in a real PostgreSQL, which the test starts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text

from earlier_events import INSERT, TABLE_ON_POSTGRES, VALUES
from fluentd import Receiver
from grocery_demand.datasets import EventsDataset
from grocery_demand.serving.events.search import Search, count_events, count_over_time, find_events
from grocery_demand.storage.event_tables import open_database
from postgres import find_program, run_postgres
from published import make_project, publish_small, serve, wait_for

pytestmark = pytest.mark.skipif(find_program("initdb") is None, reason="no PostgreSQL is installed")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """The address of a database in a server of the test's own."""
    with run_postgres() as postgres:
        yield postgres.url()


def test_events_are_kept_searched_and_forwarded(database, tmp_path, long_panel, long_model):
    project = make_project(tmp_path, tenant="user1")
    publish_small(project, long_panel, long_model, 1)
    receiver = Receiver()
    env = {"EVENTS_URL": database, "FLUENTD_HOST": "127.0.0.1", "FLUENTD_PORT": str(receiver.port)}
    first = long_panel.series.iloc[0]
    asked = {"date": str(long_panel.cutoff + 3), "item_nbr": int(first["item_nbr"]),
             "store_nbr": int(first["store_nbr"])}  # fmt: skip
    with serve(project, env=env) as app, app.client() as client:
        requests = [asked] * 700
        told = client.post("/api/v1/forecasts", json={"requests": requests}).json()
        assert told["answered"] == 700
        for query, total in (
            ('tag:"user1.prediction"', 700),
            (f"store_nbr:{first['store_nbr']} prediction>=0", 700),
            ("family:NONE*", 0),
            ("99999999999", 0),
        ):
            found = client.get("/api/v1/events", params={"q": query}).json()
            assert found["total"] == total
        assert client.get("/events?q=long_range:false").status_code == 200
        assert client.get("/api/v1/events.csv").text.count("\n") == 701
        wait_for(lambda: len(receiver.records) == 700)
        wait_for(lambda: "events_to_forward 0.0" in client.get("/metrics").text)
    record = receiver.records[0]
    workshop = {"prediction", "date", "item_nbr", "family", "class", "perishable", "year", "month",
                "day", "dayofweek", "dayoff"}  # fmt: skip
    assert workshop <= set(record)
    assert record["item_nbr"] == asked["item_nbr"]
    assert receiver.tags == {"user1.prediction"}


def test_a_database_that_goes_away_is_said_and_found_again(
    database, tmp_path, long_panel, long_model
):
    project = make_project(tmp_path)
    publish_small(project, long_panel, long_model, 1)
    first = long_panel.series.iloc[0]
    asked = {"date": str(long_panel.cutoff + 3), "item_nbr": int(first["item_nbr"]),
             "store_nbr": int(first["store_nbr"])}  # fmt: skip
    admin = create_engine(database.replace("postgresql://", "postgresql+pg8000://"))
    with serve(project, env={"EVENTS_URL": database}) as app, app.client() as client:
        assert client.get("/prediction", params=asked).status_code == 200
        with admin.connect() as connection:
            connection.execute(
                text("select pg_terminate_backend(pid) from pg_stat_activity "
                     "where pid <> pg_backend_pid() and backend_type = 'client backend'")
            )  # fmt: skip
        wait_for(lambda: client.get("/prediction", params=asked).status_code == 200)
    admin.dispose()


def test_events_of_an_earlier_version_go_on_with_what_is_new(database):
    connect_to = database.replace("postgresql://", "postgresql+pg8000://")
    admin = create_engine(connect_to, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("create database earlier"))
    admin.dispose()
    earlier = create_engine(connect_to.replace("/postgres", "/earlier"))
    insert = INSERT.replace("?", "{}").format(*(f":v{i}" for i in range(len(VALUES))))
    values = {f"v{i}": value for i, value in enumerate(VALUES)}
    with earlier.begin() as connection:
        connection.execute(text(TABLE_ON_POSTGRES))
        connection.execute(text(insert), values)
    address = database.replace("/postgres", "/earlier")
    with ThreadPoolExecutor(4) as pool:
        engines = list(pool.map(open_database, [address] * 4))
    with earlier.begin() as connection:
        connection.execute(text(insert), values)
    found = find_events(engines[0], Search("role:champion", 0, 2**62), 10)
    assert [(event["role"], event["shadow_of"]) for event in found] == [("champion", None)] * 2
    for engine in (*engines, earlier):
        engine.dispose()


def test_monitoring_reads_the_events(database):
    served = EventsDataset(filepath="unused", url=database).load()
    assert len(served.newest) == served.by_day["requests"].sum() > 0
    assert served.stores["requests"].sum() == len(served.newest)


def test_counts_over_time_work_as_on_sqlite(database):
    engine = open_database(database)
    search = Search("", 1, 2_000_000_000_000)
    assert sum(count for _, count in count_over_time(engine, search)[1]) == count_events(
        engine, search
    )
    assert find_events(engine, search, 3)
    engine.dispose()
