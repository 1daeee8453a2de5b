"""Who made the forecasts of the event log: champion, canary or a challenger in shadow."""

from typing import Any

import pandas as pd
from sqlalchemy import Connection, Select, func, select

from grocery_demand.core.rollout import SHADOW
from grocery_demand.storage.event_tables import MISSES, PREDICTIONS

_ROLE = ["role", "model_version"]
_TYPES = {"model_version": int, "latency_ms": float}
"""An empty table has none of its own."""

_MIDDLE, _HIGH = 0.5, 0.95


def read_roles(
    connection: Connection, since_ms: int, newest: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return `roles`, `pairs` and `misses` of `ServedEvents`, in this order.

    Args:
        connection: To the database of events.
        since_ms: From when on they are counted, milliseconds since 1970.
        newest: How many of the newest forecasts latencies and pairs are taken from.
    """
    recent = PREDICTIONS.c.time_ms > since_ms
    role = [PREDICTIONS.c[name] for name in _ROLE]
    counted = select(*role, func.count().label("requests")).where(recent).group_by(*role)
    names = (*_ROLE, "id", "shadow_of", "prediction", "latency_ms")
    columns = [PREDICTIONS.c[name] for name in names]
    events = fetch(
        connection, select(*columns).where(recent).order_by(PREDICTIONS.c.seq.desc()).limit(newest)
    )
    missed = func.sum(MISSES.c.requests).label("requests")
    by = (MISSES.c.model_version, MISSES.c.mode, MISSES.c.reason)
    misses = select(*by, missed).where(MISSES.c.time_ms > since_ms).group_by(*by)
    roles = _add_latencies(fetch(connection, counted), events)
    return roles, _pair(events), fetch(connection, misses)


def fetch(connection: Connection, query: Select[Any]) -> pd.DataFrame:
    """Return what a query gives as a table."""
    result = connection.execute(query)
    return pd.DataFrame(result.fetchall(), columns=list(result.keys()))


def _add_latencies(counted: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    by_role = events.astype(_TYPES).groupby(_ROLE)["latency_ms"]
    latencies = pd.DataFrame(
        {"latency_ms": by_role.quantile(_MIDDLE), "latency_ms_95": by_role.quantile(_HIGH)}
    )
    kinds = {"model_version": int, "requests": int}
    return counted.astype(kinds).merge(latencies.reset_index(), how="left", on=_ROLE)


def _pair(events: pd.DataFrame) -> pd.DataFrame:
    """Put forecasts made in shadow beside those that were given."""
    columns = ["prediction", "model_version"]
    shadows = events.loc[events["role"] == SHADOW, ["shadow_of", *columns]]
    given = events.loc[events["role"] != SHADOW, ["id", *columns]].add_prefix("given_")
    pairs = shadows.merge(given, left_on="shadow_of", right_on="given_id")
    return pairs.drop(columns=["shadow_of", "given_id"])
