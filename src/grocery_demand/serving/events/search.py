"""The query language of the events page: field:value, comparisons, "phrases", -not, free text."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Engine,
    String,
    and_,
    cast,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
)

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.parameters import suggestion
from grocery_demand.core.rollout import SHADOW
from grocery_demand.storage.event_tables import PREDICTIONS, to_public

FIELDS: dict[str, ColumnElement[Any]] = {
    column.name: column
    for column in PREDICTIONS.c
    if column.key not in ("seq", "time_ms", "features", "contributions")
}
"""What can be searched by, by the name that is typed."""

RANGES = {
    "15m": ("last 15 minutes", 15 * 60),
    "1h": ("last hour", 3600),
    "24h": ("last 24 hours", 86_400),
    "7d": ("last 7 days", 7 * 86_400),
    "30d": ("last 30 days", 30 * 86_400),
    "all": ("all", 0),
}

_FREE_TEXT = ("tag", "client", "model_name", "family", "date", "id", "run_id")
_TERM = re.compile(
    r"""\s*(?P<minus>-|NOT\s+)?(?:(?P<field>[\w.]+)\s*(?P<sign>>=|<=|:|>|<|=)\s*)?"""
    r"""(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|(?P<word>[^\s"]+))"""
)
_BUCKETS_S = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 12 * 3600, 86_400, 7 * 86_400)
_MOST_BUCKETS = 60
_LONGEST_QUERY = 500
_LARGEST = 2**31
_LARGEST_BIG = 2**62

_COMPARISONS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
}


class QueryError(GroceryDemandError):
    """A search cannot be understood."""


@dataclass(frozen=True)
class Search:
    """What to look for.

    Attributes:
        query: As typed.
        first_ms: Earliest time, milliseconds since 1970 in UTC.
        last_ms: Latest time.
    """

    query: str
    first_ms: int
    last_ms: int

    def condition(self) -> ColumnElement[bool]:
        """Return it as SQL.

        Raises:
            QueryError: If it cannot be understood.
        """
        within = PREDICTIONS.c.time_ms.between(self.first_ms, self.last_ms)
        return and_(within, *parse(self.query))


def parse(query: str) -> list[ColumnElement[bool]]:
    """Return the conditions of a query, all of which have to hold.

    Forecasts made in shadow, which nobody was given, are found only by a query that asks for a
    role (or for what was made beside an event).

    Raises:
        QueryError: Saying what is not understood and what is.
    """
    if len(query) > _LONGEST_QUERY:
        raise QueryError(f"The search has {len(query)} characters; {_LONGEST_QUERY} are allowed.")
    conditions, position, named = [], 0, set()
    text = query.strip().replace("\x00", "")
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            raise QueryError(
                f"The search is not understood from “{text[position : position + 40]}” on: is a "
                'quotation mark missing? Example: tag:"user1.prediction" store_nbr:47 -family:DAIRY'
            )
        position = match.end()
        if match["word"] == "AND" and not match["field"]:
            continue
        named.add(match["field"])
        condition = _condition_of(match)
        conditions.append(not_(condition) if match["minus"] else condition)
    if not named & {"role", "shadow_of"}:
        conditions.append(PREDICTIONS.c.role != SHADOW)
    return conditions


def find_events(engine: Engine, search: Search, most: int, before: int | None = None) -> list[Any]:
    """Return the newest events, the newest first; `before` a sequence number if given."""
    wanted = select(PREDICTIONS).where(search.condition())
    if before is not None:
        wanted = wanted.where(PREDICTIONS.c.seq < before)
    with engine.connect() as connection:
        rows = connection.execute(wanted.order_by(PREDICTIONS.c.seq.desc()).limit(most)).all()
    return [to_public(row) for row in rows]


def count_events(engine: Engine, search: Search) -> int:
    """Return how many events are found."""
    wanted = select(func.count()).select_from(PREDICTIONS).where(search.condition())
    with engine.connect() as connection:
        return connection.scalar(wanted) or 0


def count_over_time(engine: Engine, search: Search) -> tuple[int, list[tuple[int, int]]]:
    """Return the width of the buckets in milliseconds, and start and count of each bucket.

    Buckets without an event are there, too, so that gaps are seen.
    """
    first, last = _span(engine, search)
    seconds = (last - first) / 1000
    width = next((s for s in _BUCKETS_S if seconds / s <= _MOST_BUCKETS), None)
    width_ms = 1000 * (width or 86_400 * (1 + int(seconds / 86_400 / _MOST_BUCKETS)))
    time_ms = PREDICTIONS.c.time_ms
    # A literal: PostgreSQL does not see that two parameters of GROUP BY and SELECT are the same.
    bucket = (time_ms - time_ms % literal_column(str(int(width_ms)), BigInteger)).label("bucket")
    wanted = select(bucket, func.count()).where(search.condition()).group_by(bucket)
    with engine.connect() as connection:
        counts = {int(start): int(count) for start, count in connection.execute(wanted)}
    starts = range(first - first % width_ms, last + 1, width_ms)
    return width_ms, [(start, counts.get(start, 0)) for start in starts]


def time_range(
    chosen: str, first: str = "", last: str = "", now_ms: int | None = None
) -> tuple[int, int]:
    """Return the earliest and latest milliseconds of a range by name, or of two ISO times.

    Raises:
        QueryError: If a name or a time is not understood.
    """
    now = int(time.time() * 1000) if now_ms is None else now_ms
    if first or last:
        return _parse_time(first, 0), _parse_time(last, now)
    if chosen not in RANGES:
        raise QueryError(f"There is no time range “{chosen[:40]}”: {', '.join(RANGES)}.")
    seconds = RANGES[chosen][1]
    return (now - 1000 * seconds if seconds else 0), now + 1000


def _span(engine: Engine, search: Search) -> tuple[int, int]:
    """Return the range itself, or where its events lie if it has no beginning."""
    if search.first_ms > 0:
        return search.first_ms, search.last_ms
    with engine.connect() as connection:
        first = connection.scalar(select(func.min(PREDICTIONS.c.time_ms)))
    return (search.last_ms if first is None else int(first)), search.last_ms


def _parse_time(text: str, otherwise: int) -> int:
    if not text:
        return otherwise
    try:
        at = datetime.fromisoformat(text)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return int(at.timestamp() * 1000)
    except (ValueError, OverflowError, OSError) as error:
        raise QueryError(
            f"“{text[:40]}” is not a time; give one as 2017-06-14T09:30 (in UTC)."
        ) from error


def _condition_of(match: re.Match[str]) -> ColumnElement[bool]:
    name = match["field"]
    value = match["word"] if match["phrase"] is None else re.sub(r"\\(.)", r"\1", match["phrase"])
    if name is None:
        return _free_text(value)
    if name not in FIELDS:
        known = ", ".join(FIELDS)
        raise QueryError(f"There is no field “{name[:40]}”{suggestion(name, FIELDS)}: {known}.")
    column = FIELDS[name]
    if match["sign"] in (":", "="):
        return _equals(column, value)
    return _COMPARISONS[match["sign"]](column, _typed(column, value))


def _equals(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    if value == "*":
        return column.is_not(None)
    if isinstance(column.type, String):
        if "*" in value:
            return column.ilike(_escape(value).replace("*", "%"), escape="\\")
        return func.lower(column) == value.lower()
    return column == _typed(column, value)


def _typed(column: ColumnElement[Any], value: str) -> Any:
    kind = column.type.python_type
    try:
        if kind is bool:
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[
                value.lower()
            ]
        number = kind(value)
    except (KeyError, ValueError, OverflowError):
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}.get(kind, "text")
        raise QueryError(f"“{value[:40]}” is not {wanted}.") from None
    largest = _LARGEST_BIG if isinstance(column.type, BigInteger) else _LARGEST
    if kind is not bool and not abs(number) < largest:
        raise QueryError(f"{value[:40]} is too large.")
    return number


def _free_text(value: str) -> ColumnElement[bool]:
    pattern = f"%{_escape(value).replace('*', '%')}%"
    found: list[ColumnElement[bool]] = [
        cast(FIELDS[name], String).ilike(pattern, escape="\\") for name in _FREE_TEXT
    ]
    if value.isascii() and value.isdigit() and len(value) < 10:  # noqa: PLR2004
        found += [FIELDS[name] == int(value) for name in ("item_nbr", "store_nbr")]
    return or_(false(), *found)


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
