"""The tables of the event log."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.rollout import CHAMPION
from grocery_demand.storage.table_changes import make_tables

metadata = MetaData()

_Sequence = BigInteger().with_variant(Integer, "sqlite")

PREDICTIONS = Table(
    "prediction_events",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True, doc="Place in the log."),
    Column("id", String(32), nullable=False, doc="Id of the event."),
    Column("time_ms", BigInteger, nullable=False, doc="When, in ms since 1970 (UTC)."),
    Column("tag", String(120), nullable=False, doc="`TENANT.prediction`."),
    Column("client", String(80), nullable=False, doc="Who asked."),
    Column("model_name", String(120), nullable=False, doc="Registered model."),
    Column("model_version", Integer, nullable=False, doc="Version that made it."),
    Column("run_id", String(64), doc="MLflow run that made the version."),
    Column("role", String(10), nullable=False, server_default=CHAMPION, doc="Role of the version."),
    Column("shadow_of", String(32), doc="Made in shadow: the event that was given."),
    Column("cutoff", String(10), nullable=False, doc="Last day with known sales."),
    Column("date", String(10), nullable=False, doc="Day that was asked for."),
    Column("step", Integer, nullable=False, doc="Days after the cutoff."),
    Column("long_range", Boolean, nullable=False, doc="Whether it lies beyond the horizon."),
    Column("store_nbr", Integer, nullable=False, doc="Store."),
    Column("item_nbr", BigInteger, nullable=False, doc="Product."),
    Column("family", String(80), nullable=False, doc="Family of the product."),
    Column("class", Integer, nullable=False, doc="Class of the product."),
    Column("perishable", Boolean, nullable=False, doc="Whether the product is perishable."),
    Column("onpromotion", Boolean, nullable=False, doc="Promotion that it was made with."),
    Column("promotion_assumed", Boolean, nullable=False, doc="Whether that was asked for."),
    Column("prediction", Float, nullable=False, doc="Point forecast in units."),
    Column("quantile_0.1", Float, nullable=False, key="quantile_10", doc="In units."),
    Column("quantile_0.5", Float, nullable=False, key="quantile_50", doc="In units."),
    Column("quantile_0.9", Float, nullable=False, key="quantile_90", doc="In units."),
    Column("contributions", Text, nullable=False, doc="What moved it most, JSON."),
    Column("features", Text, nullable=False, doc="All that went into the model, JSON."),
    Column("latency_ms", Float, nullable=False, doc="From request to event, in ms."),
    Column("place", Integer, nullable=False, server_default="0", doc="Number in its request."),
    Index("ix_prediction_events_time_ms_role", "time_ms", "role"),
)
"""One row per forecast: of the champion or the canary, which were given, or made in shadow beside
the event `shadow_of`. `features` and `contributions` are JSON."""


def _columns_of_request() -> tuple[Column, ...]:
    """Return what is kept of a request that got no forecast; a column belongs to one table."""
    return (
        Column("seq", _Sequence, primary_key=True, autoincrement=True, doc="Place in the log."),
        Column("time_ms", BigInteger, nullable=False, index=True, doc="In ms since 1970 (UTC)."),
        Column("client", String(80), nullable=False, doc="Who asked."),
        Column("path", String(120), nullable=False, doc="Address that was asked."),
    )


REFUSALS = Table(
    "refused_requests",
    metadata,
    *_columns_of_request(),
    Column("field", String(80), nullable=False, doc="Field that was wrong, or `body`."),
    Column("message", String(300), nullable=False, doc="What was wrong with it."),
    Column("problem", Integer, nullable=False, server_default="0", doc="Its number, from 0."),
)
"""One row per problem of a request that could not be answered; `problem` counts those of one
request, from 0."""

FAILURES = Table(
    "failed_requests",
    metadata,
    *_columns_of_request(),
    Column("status", Integer, nullable=False, doc="The HTTP status answered, 500 or above."),
)
"""One row per request that the app itself failed to answer, with its HTTP status, 500 or above."""

MISSES = Table(
    "challenger_misses",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True, doc="Place in the log."),
    Column("time_ms", BigInteger, nullable=False, index=True, doc="When, in ms since 1970 (UTC)."),
    Column("model_version", Integer, nullable=False, doc="The challenger."),
    Column("mode", String(10), nullable=False, doc="`canary` or `shadow`."),
    Column("requests", Integer, nullable=False, doc="Forecasts that it did not make."),
    Column("reason", String(300), nullable=False, doc="Why not."),
)
"""Forecasts that a challenger was to make and did not, some at a time; the champion answered."""

OUTBOX = Table(
    "events_to_forward",
    metadata,
    Column("seq", _Sequence, primary_key=True, autoincrement=True, doc="Order of sending."),
    Column("event_id", String(32), nullable=False, doc="Id of event or refusal."),
    Column("tag", String(120), nullable=False, doc="Fluentd's tag."),
    Column("time_ms", BigInteger, nullable=False, doc="When, in ms since 1970 (UTC)."),
    Column("record", Text, nullable=False, doc="What Fluentd gets, JSON."),
)
"""Events that Fluentd has not acknowledged yet; written with the event, in one transaction."""

_SQLITE_SETTINGS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=10000",
    "temp_store=MEMORY",
    "journal_size_limit=67108864",
    "wal_autocheckpoint=16384",
)
"""FULL: what is committed outlives a power cut. Pages go from the journal to the table by
`checkpoint`, aside from the writer; by the writer itself only if the journal grew to 64 MB."""


class EventLogError(GroceryDemandError):
    """The database of events cannot be opened, read or written."""


def open_database(url: str) -> Engine:
    """Return an engine on the database of events, with its tables made if they are not there.

    Args:
        url: SQLAlchemy address; `postgresql://` uses the driver pg8000.

    Raises:
        EventLogError: If it cannot be opened, naming the address without its password.
    """
    try:
        engine = _create_engine(url)
        make_tables(engine, metadata)
    except (ArgumentError, NoSuchModuleError) as error:
        raise EventLogError(
            f"events_url is not an address of a database: {error}. Give one such as "
            "sqlite:///data/07_model_output/events.db or postgresql://user:password@host/name."
        ) from error
    except (SQLAlchemyError, OSError) as error:
        shown = make_url(url).render_as_string(hide_password=True)
        raise EventLogError(
            f"The database of events {shown} cannot be opened: {reason_of(error)}. See that it "
            "runs and that its address (events_url, EVENTS_URL) is right; a file that is damaged, "
            "move away: the web app makes a new one when it starts."
        ) from error
    return engine


def checkpoint(engine: Engine) -> None:
    """Bring what SQLite's journal holds into its table, without stopping the writer."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")


def reason_of(error: Exception) -> str:
    """Return the first line of what a database says is wrong."""
    return str(getattr(error, "orig", None) or error).splitlines()[0][:300]


def to_public(row: Any) -> dict[str, Any]:
    """Return an event of the table as people and programs read it."""
    shown = {str(name): value for name, value in row._mapping.items()}
    shown["time"] = iso_time(shown.pop("time_ms"))
    for name in ("contributions", "features"):
        shown[name] = orjson.loads(shown[name])
    return shown


def iso_time(milliseconds: int) -> str:
    """Return a time of the log as ISO in UTC."""
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _create_engine(url: str) -> Engine:
    if url.startswith(("postgresql://", "postgres://")):
        url = "postgresql+pg8000://" + url.partition("://")[2]
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    _, _, path = url.partition(":///")
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, poolclass=QueuePool, connect_args={"check_same_thread": False})
    event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _: Any) -> None:
    for setting in _SQLITE_SETTINGS:
        connection.execute(f"PRAGMA {setting}")
