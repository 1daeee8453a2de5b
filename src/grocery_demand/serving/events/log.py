"""Writes events in groups: many forecasts, one transaction."""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Table, delete, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from grocery_demand.storage.event_tables import (
    FAILURES,
    MISSES,
    OUTBOX,
    PREDICTIONS,
    REFUSALS,
    EventLogError,
    checkpoint,
    open_database,
    reason_of,
)

logger = logging.getLogger(__name__)

_MOST_PER_TRANSACTION = 4000
_SECONDS_BETWEEN_CLEANINGS = 600.0
_SECONDS_BETWEEN_CHECKPOINTS = 2.0
_DAY_MS = 86_400_000
_MOST_FAILURES = 10_000
"""Failures that are kept in memory while nothing can be written."""


@dataclass(frozen=True)
class Entries:
    """Rows that are to be written together.

    Attributes:
        predictions: Rows of `PREDICTIONS`.
        outbox: Rows of `OUTBOX`.
        refusals: Rows of `REFUSALS`.
        misses: Rows of `MISSES`.
        written: Done once they are on the disk.
    """

    predictions: list[dict[str, Any]] = field(default_factory=list)
    outbox: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    misses: list[dict[str, Any]] = field(default_factory=list)
    written: Future[None] = field(default_factory=Future)


@dataclass
class LogCounts:
    """What the log did since it was opened.

    Attributes:
        queued: Events waiting to be written.
        written: Events written.
        failed: Events that could not be written, whose forecasts were not given.
    """

    queued: int = 0
    written: int = 0
    failed: int = 0


class EventLog:
    """The database of events, written by one thread.

    While a transaction is on its way to the disk, what arrives meanwhile forms the next one: the
    more requests at once, the more events share the cost of one.

    Args:
        url: SQLAlchemy address.
        max_age_days: Age after which events are removed.
        max_events: Events kept at most.
        after_write: Called after each transaction, as by what forwards events.
    """

    def __init__(
        self,
        url: str,
        max_age_days: int = 400,
        max_events: int = 1_000_000,
        after_write: Callable[[], None] = lambda: None,
    ) -> None:
        self.engine: Engine = open_database(url)
        self.counts = LogCounts()
        self._counting = threading.Lock()
        self.problem = ""
        self._max_age_ms = max_age_days * _DAY_MS
        self._max_events = max_events
        self.after_write = after_write
        self._failures: deque[dict[str, Any]] = deque(maxlen=_MOST_FAILURES)
        self._queue: queue.SimpleQueue[Entries | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="event-log", daemon=True)
        self._thread.start()
        self._closing = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="event-log-keeper", daemon=True)
        self._keeper.start()

    def add(self, entries: Entries) -> "Future[None]":
        """Hand entries over; the result is done when they are on the disk.

        It holds an `EventLogError` if they cannot be written.
        """
        with self._counting:
            self.counts.queued += len(entries.predictions)
        self._queue.put(entries)
        return entries.written

    def note_failure(self, row: dict[str, Any]) -> None:
        """Keep that a request could not be answered, without waiting for it.

        It is written with what comes next, or after a few seconds. As the log itself may be what
        failed, it is held in memory until something can be written again.

        Args:
            row: Of `FAILURES`.
        """
        with self._counting:
            self._failures.append(row)

    def close(self) -> None:
        """Write what is waiting and stop."""
        self._queue.put(None)
        self._thread.join()
        self._closing.set()
        self._keeper.join()
        self.engine.dispose()

    def _work(self) -> None:
        while True:
            group, is_last = self._next_group()
            if group or self._failures:
                self._write(group)
            if is_last:
                return

    def _keep(self) -> None:
        """Keep the database in order, aside from the writer, until the log is closed."""
        cleaned_at, written = float("-inf"), 0
        while True:
            is_closing = self._closing.wait(_SECONDS_BETWEEN_CHECKPOINTS)
            try:
                if self._failures and not self.problem:
                    self.add(Entries())
                if self.counts.written != written:
                    written = self.counts.written
                    checkpoint(self.engine)
                if time.monotonic() - cleaned_at > _SECONDS_BETWEEN_CLEANINGS:
                    cleaned_at = time.monotonic()
                    self._clean()
            except (SQLAlchemyError, OSError) as error:
                logger.warning("The event log could not be kept in order: %s", reason_of(error))
            if is_closing:
                return

    def _next_group(self) -> tuple[list[Entries], bool]:
        """Return what is waiting, and whether the log was closed."""
        group: list[Entries] = []
        n_rows = 0
        entries = self._queue.get()
        while entries is not None:
            group.append(entries)
            n_rows += len(entries.predictions)
            if n_rows >= _MOST_PER_TRANSACTION:
                return group, False
            try:
                entries = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _write(self, group: list[Entries]) -> None:
        n_events = sum(len(entries.predictions) for entries in group)
        with self._counting:
            failures = list(self._failures)
            self._failures.clear()
        try:
            with self.engine.begin() as connection:
                _insert(connection, FAILURES, failures)
                for table, name in _TABLES:
                    rows = [row for entries in group for row in getattr(entries, name)]
                    _insert(connection, table, rows)
        except (SQLAlchemyError, OSError) as error:
            self.problem = f"Events cannot be written: {reason_of(error)}"
            self.counts.failed += n_events
            logger.error("%s", self.problem)
            failure: EventLogError | None = EventLogError(self.problem)
        else:
            self.problem, failure = "", None
            self.counts.written += n_events
        with self._counting:
            self.counts.queued -= n_events
            if failure is not None:
                self._failures = deque([*failures, *self._failures], _MOST_FAILURES)
        for entries in group:
            if failure is None:
                entries.written.set_result(None)
            else:
                entries.written.set_exception(failure)
        self.after_write()

    def _clean(self) -> None:
        """Remove events that are too old or too many."""
        oldest = int(time.time() * 1000) - self._max_age_ms
        for table in (PREDICTIONS, REFUSALS, FAILURES, MISSES):
            with self.engine.begin() as connection:
                newest = connection.scalar(select(func.max(table.c.seq))) or 0
                is_old = (table.c.time_ms < oldest) | (table.c.seq <= newest - self._max_events)
                connection.execute(delete(table).where(is_old))


_TABLES: tuple[tuple[Table, str], ...] = (
    (PREDICTIONS, "predictions"),
    (OUTBOX, "outbox"),
    (REFUSALS, "refusals"),
    (MISSES, "misses"),
)


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)
