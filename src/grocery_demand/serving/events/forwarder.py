"""Forwards events to Fluentd, at least once, in the background.

The protocol is Fluentd's Forward Protocol Specification v1 (Forward mode with `chunk`, whose
acknowledgement the receiver sends back). Events wait in the table `events_to_forward`, written in
one transaction with the event itself, until they are acknowledged.
"""

import contextlib
import logging
import socket
import threading
import uuid
from typing import Any

import msgpack
import orjson
from sqlalchemy import Connection, Engine, delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from grocery_demand.storage.event_tables import OUTBOX

logger = logging.getLogger(__name__)

_MOST_PER_MESSAGE = 500
_SECONDS_TO_ANSWER = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 30.0
_LOOK_AGAIN = 5.0
_EVENT_TIME = 0


class Forwarder:
    """A thread that sends what waits in the outbox.

    Args:
        engine: The database of events.
        host: Where Fluentd listens.
        port: Its port.
        most_waiting: Events kept while it is away; of more, the oldest are given up.
    """

    def __init__(self, engine: Engine, host: str, port: int, most_waiting: int) -> None:
        self._engine = engine
        self._address = (host, port)
        self._most_waiting = most_waiting
        self._socket: socket.socket | None = None
        self._news = threading.Event()
        self._stop = threading.Event()
        self.sent = 0
        self.given_up = 0
        self.problem = ""
        self._thread = threading.Thread(target=self._work, name="forwarder", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def wake(self) -> None:
        """Say that there is something to send."""
        self._news.set()

    def close(self) -> None:
        """Stop; what was not sent waits for the next start."""
        self._stop.set()
        self._news.set()
        self._thread.join()
        self._disconnect()

    def waiting(self) -> int:
        """Return how many events wait."""
        with self._engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(OUTBOX)) or 0

    def _work(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stop.is_set():
            try:
                while self._send_some() and not self._stop.is_set():
                    pause = _FIRST_PAUSE
                self.problem = ""
            except (OSError, ValueError, SQLAlchemyError, msgpack.UnpackException) as error:
                self._tell(error)
                self._disconnect()
                self._stop.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                self._give_up_oldest()
                continue
            self._news.wait(_LOOK_AGAIN)
            self._news.clear()

    def _send_some(self) -> int:
        """Send the oldest events and remove them once acknowledged; return how many."""
        if self._engine.dialect.name == "postgresql":
            # Rows that another instance is sending are locked, and left to it.
            with self._engine.begin() as connection:
                rows = connection.execute(_oldest().with_for_update(skip_locked=True)).all()
                self._deliver(rows)
                _remove(connection, rows)
        else:
            with self._engine.connect() as connection:
                rows = connection.execute(_oldest()).all()
            self._deliver(rows)
            if rows:
                with self._engine.begin() as connection:
                    _remove(connection, rows)
        self.sent += len(rows)
        return len(rows)

    def _deliver(self, rows: Any) -> None:
        """Send messages, one per tag, and wait for their acknowledgements."""
        by_tag: dict[str, list[Any]] = {}
        for row in rows:
            time = msgpack.ExtType(_EVENT_TIME, _event_time(row.time_ms))
            by_tag.setdefault(row.tag, []).append([time, orjson.loads(row.record)])
        for tag, entries in by_tag.items():
            chunk = uuid.uuid4().hex
            link = self._connect()
            link.sendall(msgpack.packb([tag, entries, {"chunk": chunk, "size": len(entries)}]))
            answer = _receive(link)
            if not isinstance(answer, dict) or answer.get("ack") != chunk:
                raise ValueError(f"{answer!r} is not the acknowledgement of {chunk}")

    def _connect(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, _SECONDS_TO_ANSWER)
        return self._socket

    def _disconnect(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None

    def _tell(self, error: Exception) -> None:
        problem = f"Events wait for Fluentd at {self._address[0]}:{self._address[1]}: {error}"
        if problem != self.problem:
            logger.warning("%s", problem)
        self.problem = problem

    def _give_up_oldest(self) -> None:
        """Remove the oldest events beyond the number that is kept."""
        with contextlib.suppress(SQLAlchemyError), self._engine.begin() as connection:
            newest = connection.scalar(select(func.max(OUTBOX.c.seq))) or 0
            is_too_old = OUTBOX.c.seq <= newest - self._most_waiting
            removed = connection.execute(delete(OUTBOX).where(is_too_old)).rowcount
            if removed:
                self.given_up += removed
                logger.error("%d events were given up: Fluentd is away for too long.", removed)


def _oldest() -> Any:
    return select(OUTBOX).order_by(OUTBOX.c.seq).limit(_MOST_PER_MESSAGE)


def _remove(connection: Connection, rows: Any) -> None:
    connection.execute(delete(OUTBOX).where(OUTBOX.c.seq.in_([row.seq for row in rows])))


def _event_time(milliseconds: int) -> bytes:
    """Return Fluentd's EventTime: seconds and nanoseconds, each 32 bits, big-endian."""
    seconds, rest = divmod(milliseconds, 1000)
    return seconds.to_bytes(4, "big") + (rest * 1_000_000).to_bytes(4, "big")


def _receive(link: socket.socket) -> Any:
    """Return the next message of the receiver."""
    unpacker = msgpack.Unpacker(max_buffer_size=1_000_000)
    while True:
        for message in unpacker:
            return message
        received = link.recv(4096)
        if not received:
            raise ConnectionError("the connection was closed before the acknowledgement")
        unpacker.feed(received)
