"""Events reach a receiver of Fluentd's forward protocol, also one that dies and comes back."""

import json
import socket
import threading

import msgpack
import pytest

from grocery_demand.serving.events.forwarder import Forwarder
from grocery_demand.serving.events.log import Entries, EventLog
from published import wait_for


class Receiver:
    """A server of the forward protocol on TCP, with acknowledgements.

    Args:
        port: Its port; 0 for any.
        ignores: Messages that it takes without an acknowledgement before it hangs up.
    """

    def __init__(self, port: int = 0, ignores: int = 0) -> None:
        self.records: list[dict] = []
        self.tags: set[str] = set()
        self.ignored: list[dict] = []
        self._ignores = ignores
        self._listening = socket.create_server(("127.0.0.1", port), reuse_port=False)
        self.port = self._listening.getsockname()[1]
        self._links: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                link, _ = self._listening.accept()
            except OSError:
                return
            self._links.append(link)
            threading.Thread(target=self._talk, args=(link,), daemon=True).start()

    def _talk(self, link: socket.socket) -> None:
        unpacker = msgpack.Unpacker()
        while True:
            try:
                received = link.recv(65536)
            except OSError:
                return
            if not received:
                return
            unpacker.feed(received)
            for tag, entries, option in unpacker:
                records = [record for _, record in entries]
                assert all(isinstance(at, msgpack.ExtType) and at.code == 0 for at, _ in entries)
                if self._ignores:
                    self._ignores -= 1
                    self.ignored += records
                    link.close()
                    return
                self.tags.add(tag)
                self.records += records
                link.sendall(msgpack.packb({"ack": option["chunk"]}))

    def die(self) -> None:
        self._listening.close()
        for link in self._links:
            link.close()


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
