"""Events reach a receiver of Fluentd's forward protocol, also one that dies and comes back."""

import json
import socket

import pytest

from fluentd import Receiver
from grocery_demand.serving.events.forwarder import Forwarder
from grocery_demand.serving.events.log import Entries, EventLog
from published import wait_for


@pytest.fixture
def log(tmp_path):
    log = EventLog(f"sqlite:///{tmp_path}/events.db")
    yield log
    log.close()


def add(log, first, last):
    rows = [
        {"event_id": f"{i}", "tag": "user1.prediction", "time_ms": 1_780_000_000_123 + i,
         "record": json.dumps({"number": i, "family": "DAIRY"})}
        for i in range(first, last)
    ]  # fmt: skip
    log.add(Entries(outbox=rows)).result(10)


def start(log, port, most_waiting=1_000_000):
    forwarder = Forwarder(log.engine, "127.0.0.1", port, most_waiting)
    log.after_write = forwarder.wake
    forwarder.start()
    return forwarder


def numbers(records):
    return {record["number"] for record in records}


def test_events_arrive_with_their_tag_and_leave_the_outbox(log):
    receiver = Receiver()
    forwarder = start(log, receiver.port)
    add(log, 0, 1300)
    wait_for(lambda: len(receiver.records) == 1300)
    wait_for(lambda: forwarder.waiting() == 0)
    assert receiver.tags == {"user1.prediction"}
    assert [record["number"] for record in receiver.records] == list(range(1300))
    assert forwarder.sent == 1300
    forwarder.close()
    receiver.die()


def test_a_receiver_that_dies_and_comes_back_misses_nothing(log):
    receiver = Receiver()
    forwarder = start(log, receiver.port)
    add(log, 0, 10)
    wait_for(lambda: len(receiver.records) == 10)
    receiver.die()
    add(log, 10, 30)
    wait_for(lambda: forwarder.problem != "")
    back = Receiver(receiver.port)
    add(log, 30, 40)
    wait_for(lambda: numbers(back.records) == set(range(10, 40)))
    wait_for(lambda: forwarder.waiting() == 0)
    forwarder.close()
    back.die()


def test_events_that_are_not_acknowledged_are_sent_again(log):
    receiver = Receiver(ignores=2)
    forwarder = start(log, receiver.port)
    add(log, 0, 5)
    wait_for(lambda: numbers(receiver.records) == set(range(5)))
    assert numbers(receiver.ignored) == set(range(5))
    forwarder.close()
    receiver.die()


def test_events_wait_on_the_disk_for_the_next_start(log):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    first = start(log, port)
    add(log, 0, 7)
    wait_for(lambda: first.problem != "")
    first.close()
    assert first.waiting() == 7
    receiver = Receiver(port)
    second = start(log, port)
    wait_for(lambda: numbers(receiver.records) == set(range(7)))
    second.close()
    receiver.die()


def test_of_too_many_waiting_events_the_oldest_are_given_up_and_counted(log):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    add(log, 0, 100)
    forwarder = start(log, port, most_waiting=20)
    wait_for(lambda: forwarder.given_up == 80)
    receiver = Receiver(port)
    wait_for(lambda: numbers(receiver.records) == set(range(80, 100)))
    forwarder.close()
    receiver.die()
