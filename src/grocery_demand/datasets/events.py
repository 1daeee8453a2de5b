"""The dataset of the web app's event log: what was asked and served, summed up."""

import logging
import os
from dataclasses import replace
from functools import partial, reduce
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
from kedro.io import AbstractDataset, DatasetError
from sqlalchemy import BigInteger, Connection, Select, case, func, literal_column, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.elements import ColumnElement

from grocery_demand.core.monitoring.served import ServedEvents
from grocery_demand.core.rollout import SHADOW
from grocery_demand.datasets.event_roles import fetch, read_roles
from grocery_demand.datasets.preview import ROWS, TablePreview, show_rows
from grocery_demand.storage.event_tables import (
    FAILURES,
    PREDICTIONS,
    REFUSALS,
    EventLogError,
    open_database,
    reason_of,
)

logger = logging.getLogger(__name__)

_DAY_MS = 86_400_000
_NEWEST = (
    "date", "step", "long_range", "store_nbr", "item_nbr", "family", "cutoff", "model_version",
    "onpromotion", "promotion_assumed", "prediction", "features",
)  # fmt: skip
_COUNTED = ("item_nbr", "store_nbr", "client")
_MOST_ROWS = 100
_GIVEN = PREDICTIONS.c.role != SHADOW
"""Of the forecasts: that somebody was given them."""

_FIRST_PROBLEM = REFUSALS.c.problem == 0
"""Of the problems: one per request that was refused, however much was wrong with it."""


class EventsDataset(AbstractDataset[NoReturn, ServedEvents]):
    """The event log's last weeks: counts by the database itself, and the newest forecasts.

    Events are only read. Tables and columns that the web app of this version would make are made
    on opening, and a SQLite file is set to its journal, so that logs of earlier versions are read.

    Args:
        filepath: The SQLite file, if there is no other address.
        url: SQLAlchemy address of another database; the environment's EVENTS_URL wins.
        newest: How many of the newest forecasts are loaded with their features.
        days: How many days before the newest event are counted.
        metadata: Anything for other tools; Kedro ignores it.
    """

    def __init__(
        self,
        *,
        filepath: str,
        url: str = "",
        newest: int = 10_000,
        days: int = 28,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._filepath = Path(filepath)
        self._url = os.environ.get("EVENTS_URL") or url
        self._newest = newest
        self._days = days
        self.metadata = metadata

    def load(self) -> ServedEvents:
        """Return what the log holds; nothing at all if the web app never ran.

        If the database cannot be opened or read, that is logged as an error and told as the
        `problem`: monitoring goes on with what does not come from it.
        """
        url = self._url if self._exists() else "sqlite://"
        try:
            return self._open(url or f"sqlite:///{self._filepath}")
        except EventLogError as error:
            logger.error("%s", error)
            return replace(self._open("sqlite://"), problem=str(error))

    def _open(self, url: str) -> ServedEvents:
        engine = open_database(url)
        try:
            with engine.connect() as connection:
                return self._read(connection)
        except (SQLAlchemyError, OSError) as error:
            shown = engine.url.render_as_string(hide_password=True)
            raise EventLogError(
                f"The database of events {shown} cannot be read: {reason_of(error)}. See that "
                "events_url or EVENTS_URL names the web app's; if it is damaged, stop the "
                "web app, move it away, and start the app again: it makes a new one."
            ) from error
        finally:
            engine.dispose()

    def preview(self, nrows: int = ROWS) -> TablePreview:
        """Return how much was asked on each of the last days, for kedro-viz."""
        return show_rows(self.load().by_day.tail(nrows))

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002
        """Refuse: the web app alone writes events."""
        raise DatasetError("The event log is only read; the web app writes it.")

    def _read(self, connection: Connection) -> ServedEvents:
        last = max(
            connection.scalar(select(func.max(table.c.time_ms))) or 0
            for table in (PREDICTIONS, REFUSALS, FAILURES)
        )
        since = last - self._days * _DAY_MS
        recent = (PREDICTIONS.c.time_ms > since) & _GIVEN
        products, stores, clients = (
            fetch(connection, _count(PREDICTIONS.c[column], recent)) for column in _COUNTED
        )
        newest = (
            select(*(PREDICTIONS.c[name] for name in _NEWEST))
            .where(_GIVEN)
            .order_by(PREDICTIONS.c.seq.desc())
            .limit(self._newest)
        )
        roles, pairs, misses = read_roles(connection, since, self._newest)
        return ServedEvents(
            newest=fetch(connection, newest),
            by_day=_count_days(connection, since),
            products=products,
            stores=stores,
            clients=clients,
            roles=roles,
            pairs=pairs,
            misses=misses,
        )

    def _exists(self) -> bool:
        return bool(self._url) or self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "newest": self._newest, "days": self._days}


def _count(column: ColumnElement[Any], recent: ColumnElement[bool]) -> Select[Any]:
    requests = func.count().label("requests")
    by_size = requests.desc(), column
    return (
        select(column, requests).where(recent).group_by(column).order_by(*by_size).limit(_MOST_ROWS)
    )


def _count_days(connection: Connection, since_ms: int) -> pd.DataFrame:
    far = func.sum(case((PREDICTIONS.c.long_range, 1), else_=0)).label("long_range")
    first = func.sum(case((PREDICTIONS.c.place == 0, 1), else_=0)).label("answered")
    parts = [
        fetch(connection, _by_day(PREDICTIONS, "requests", since_ms, far, first).where(_GIVEN)),
        fetch(connection, _by_day(REFUSALS, "refused", since_ms).where(_FIRST_PROBLEM)),
        fetch(connection, _by_day(FAILURES, "failed", since_ms)),
    ]
    days = reduce(partial(pd.merge, on="day", how="outer"), parts).fillna(0).astype(int)
    dates = pd.to_datetime(days.pop("day"), unit="D").dt.strftime("%Y-%m-%d")
    return days.assign(date=dates).sort_values("date", ignore_index=True)


def _by_day(table: Any, name: str, since_ms: int, *further: ColumnElement[Any]) -> Select[Any]:
    # A literal: PostgreSQL does not see that two parameters of GROUP BY and SELECT are the same.
    day = (table.c.time_ms // literal_column(str(_DAY_MS), BigInteger)).label("day")
    counted = select(day, func.count().label(name), *further)
    return counted.where(table.c.time_ms > since_ms).group_by(day)
