"""Events are on the disk when their writing is done, all of a group or none."""

import sqlite3
import time

import pytest

from event_rows import make_row
from grocery_demand.serving.events.log import Entries, EventLog
from grocery_demand.storage.event_tables import EventLogError
from published import wait_for


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "events.db"


def count(path, table="prediction_events"):
    with sqlite3.connect(path) as connection:
        return connection.execute(f"select count(*) from {table}").fetchone()[0]


def test_events_are_on_the_disk_when_writing_is_done(path):
    log = EventLog(f"sqlite:///{path}", max_age_days=100_000)
    done = [log.add(Entries(predictions=[make_row(i), make_row(i)])) for i in range(20)]
    for written in done:
        written.result(10)
    assert count(path) == 40
    assert (log.counts.written, log.counts.queued, log.counts.failed) == (40, 0, 0)
    log.close()


def test_closing_writes_what_waits(path):
    log = EventLog(f"sqlite:///{path}", max_age_days=100_000)
    for i in range(50):
        log.add(Entries(predictions=[make_row(i)]))
    log.close()
    assert count(path) == 50


def test_an_event_that_cannot_be_written_is_an_error_and_later_ones_are_written(path):
    log = EventLog(f"sqlite:///{path}", max_age_days=100_000)
    broken = log.add(Entries(predictions=[make_row(1, tag=None)]))
    with pytest.raises(EventLogError, match="cannot be written"):
        broken.result(10)
    assert log.problem
    log.add(Entries(predictions=[make_row(2)])).result(10)
    assert (log.problem, log.counts.failed, log.counts.queued) == ("", 1, 0)
    log.close()
    assert count(path) == 1


def test_event_and_outbox_are_written_together_or_not_at_all(path):
    log = EventLog(f"sqlite:///{path}", max_age_days=100_000)
    outbox = [{"event_id": "x", "tag": "t", "time_ms": 1, "record": None}]
    with pytest.raises(EventLogError):
        log.add(Entries(predictions=[make_row(1)], outbox=outbox)).result(10)
    log.close()
    assert (count(path), count(path, "events_to_forward")) == (0, 0)


FAILURE = {"time_ms": 10**15, "client": "buyer", "path": "/prediction", "status": 503}


def test_a_failed_answer_is_written_soon_though_nothing_else_is(path):
    log = EventLog(f"sqlite:///{path}")
    log.note_failure(FAILURE)
    wait_for(lambda: count(path, "failed_requests") == 1)
    log.close()
    assert count(path, "failed_requests") == 1


def test_failed_answers_outlast_a_log_that_cannot_be_written(path):
    log = EventLog(f"sqlite:///{path}", max_age_days=100_000)
    for _ in range(3):
        log.note_failure(FAILURE)
        with pytest.raises(EventLogError):
            log.add(Entries(predictions=[make_row(1, tag=None)])).result(10)
    assert count(path, "failed_requests") == 0
    log.add(Entries(predictions=[make_row(2)])).result(10)
    assert count(path, "failed_requests") == 3
    log.close()


def test_closing_writes_failed_answers(path):
    log = EventLog(f"sqlite:///{path}")
    log.note_failure(FAILURE)
    log.close()
    assert count(path, "failed_requests") == 1


def test_events_that_are_too_old_or_too_many_are_removed(path):
    now = int(time.time() * 1000)
    with_old = [make_row(i, time_ms=now - 10 * 86_400_000) for i in range(5)]
    first = EventLog(f"sqlite:///{path}", max_age_days=100)
    first.add(Entries(predictions=[*with_old, *(make_row(i, time_ms=now) for i in range(20))]))
    first.close()
    second = EventLog(f"sqlite:///{path}", max_age_days=3)
    wait_for(lambda: count(path) == 20)
    second.close()
    third = EventLog(f"sqlite:///{path}", max_age_days=3, max_events=7)
    wait_for(lambda: count(path) == 7)
    third.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "is not an address"),
        ("oracle9://x/y", "is not an address"),
        ("postgresql://ann:secret@127.0.0.1:1/none", "cannot be opened"),
        ("sqlite:////proc/none/events.db", "cannot be opened"),
    ],
)
def test_a_database_that_cannot_be_opened_is_named_without_its_password(url, told):
    with pytest.raises(EventLogError, match=told) as found:
        EventLog(url)
    assert "secret" not in str(found.value)
