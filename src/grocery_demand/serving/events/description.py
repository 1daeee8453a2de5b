"""Forecasts as events: rows of the log, and records for Fluentd."""

import time
import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from grocery_demand.serving.events.log import Entries
from grocery_demand.serving.question import AS_PLANNED, FieldProblem
from grocery_demand.serving.served_forecast import Client, ServedForecast, storable

_SATURDAY = 5
_NOT_FORWARDED = ("time_ms", "features", "tag", "shadow_of")
_MOST_PROBLEMS = 20
_LONGEST_PATH, _LONGEST_FIELD, _LONGEST_MESSAGE = 120, 80, 300


def describe_events(
    forecasts: Sequence[ServedForecast],
    features: np.ndarray,
    clients: Sequence[Client],
    *,
    tag: str,
    forwards: bool,
    shadow_of: Sequence[str] | None = None,
) -> Entries:
    """Return the events of forecasts that one model made together.

    Args:
        forecasts: What is given, or not, if they were made in shadow.
        features: What went into the model, float32 [forecast, feature].
        clients: Who asked, one per forecast.
        tag: The events' tag.
        forwards: Whether they go to Fluentd, too.
        shadow_of: Ids of the events beside which they were made; None unless made in shadow.
    """
    now_ms, now = int(time.time() * 1000), time.perf_counter()
    told = to_json_objects(forecasts[0].model.feature_names, features)
    rows, outbox = [], []
    for i, forecast in enumerate(forecasts):
        row = _to_row(forecast, now_ms, tag)
        row |= {"client": clients[i].name, "place": clients[i].place}
        row["features"] = told[i]
        row["shadow_of"] = shadow_of[i] if shadow_of is not None else None
        row["latency_ms"] = round(1000 * (now - clients[i].asked_at), 3)
        rows.append(row)
        if forwards:
            outbox.append(_to_outbox(row))
    return Entries(predictions=rows, outbox=outbox)


def _to_row(forecast: ServedForecast, now_ms: int, tag: str) -> dict[str, Any]:
    question, label = forecast.question, forecast.model.label
    product = question.product
    return {
        "id": forecast.event_id,
        "time_ms": now_ms,
        "tag": tag,
        "model_name": label.model_name,
        "model_version": label.model_version,
        "run_id": label.run_id,
        "role": forecast.role,
        "cutoff": forecast.model.cutoff,
        "date": question.date,
        "step": question.step,
        "long_range": forecast.long_range,
        "store_nbr": question.store_nbr,
        "item_nbr": product.item_nbr,
        "family": product.family,
        "class": product.item_class,
        "perishable": product.perishable,
        "onpromotion": forecast.onpromotion,
        "promotion_assumed": question.what_if != AS_PLANNED,
        "prediction": forecast.units,
        "quantile_10": forecast.quantiles[0],
        "quantile_50": forecast.quantiles[1],
        "quantile_90": forecast.quantiles[2],
        "contributions": orjson.dumps(forecast.effects).decode(),
    }


def _to_outbox(row: dict[str, Any]) -> dict[str, Any]:
    """Return what Fluentd gets: the workshop's names, and the rest by ours."""
    year, month, day = (int(part) for part in row["date"].split("-"))
    weekday = int((np.datetime64(row["date"], "D").astype(int) + 3) % 7)
    record = {name: value for name, value in row.items() if name not in _NOT_FORWARDED}
    record |= {
        "perishable": int(row["perishable"]),
        "year": year,
        "month": month,
        "day": day,
        "dayofweek": weekday,
        "dayoff": weekday >= _SATURDAY,
        "contributions": orjson.loads(row["contributions"]),
        "features": orjson.loads(row["features"]),
    }
    for level in ("10", "50", "90"):
        record[f"quantile_0.{level[0]}"] = record.pop(f"quantile_{level}")
    return {
        "event_id": row["id"],
        "tag": row["tag"],
        "time_ms": row["time_ms"],
        "record": orjson.dumps(record).decode(),
    }


def describe_refusal(
    problems: Sequence[FieldProblem], path: str, client: Client, *, tag: str, forwards: bool
) -> Entries:
    """Return what could not be answered, as rows of the log: one per problem, numbered from 0.

    Args:
        problems: What was wrong with it.
        path: Where it was asked.
        client: Who asked.
        tag: The refusals' tag.
        forwards: Whether they go to Fluentd, too.
    """
    now = int(time.time() * 1000)
    rows = [
        {
            "time_ms": now,
            "client": client.name,
            "path": path[:_LONGEST_PATH],
            "field": storable(problem.field, _LONGEST_FIELD),
            "message": storable(problem.message, _LONGEST_MESSAGE),
            "problem": number,
        }
        for number, problem in enumerate(problems[:_MOST_PROBLEMS])
    ]
    # One record for each request, by its first problem, so that they can be counted.
    outbox = [_to_refusal_outbox(row, tag) for row in rows[:1]] if forwards else []
    return Entries(refusals=rows, outbox=outbox)


def _to_refusal_outbox(row: dict[str, Any], tag: str) -> dict[str, Any]:
    event_id = uuid.uuid4().hex
    kept = {name: row[name] for name in row if name not in ("time_ms", "problem")}
    record = {"id": event_id} | kept
    return {
        "event_id": event_id,
        "tag": tag,
        "time_ms": row["time_ms"],
        "record": orjson.dumps(record).decode(),
    }


def describe_failure(path: str, client: str, status: int) -> dict[str, Any]:
    """Return a request that the app failed to answer as a row of the log.

    Args:
        path: Where it was asked.
        client: Who asked.
        status: Of the answer, 500 or above.
    """
    return {
        "time_ms": int(time.time() * 1000),
        "client": client,
        "path": storable(path, _LONGEST_PATH),
        "status": status,
    }


def describe_misses(version: int, mode: str, n_requests: int, reason: str) -> Entries:
    """Return what a challenger did not forecast, as a row of the log."""
    return Entries(
        misses=[
            {
                "time_ms": int(time.time() * 1000),
                "model_version": version,
                "mode": mode,
                "requests": n_requests,
                "reason": storable(reason, _LONGEST_MESSAGE),
            }
        ]
    )


def to_json_objects(names: Sequence[str], table: np.ndarray) -> list[str]:
    """Return each row of a table as a JSON object; what is unknown is null.

    Args:
        names: Names of the columns.
        table: float32 [row, column], written with as many digits as float32 has.
    """
    keys = [f'"{name}":' for name in names]
    rows = (orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY) for row in table)
    return [
        "{" + ",".join(map(str.__add__, keys, row[1:-1].decode().split(","))) + "}" for row in rows
    ]
