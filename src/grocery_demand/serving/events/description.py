"""Forecasts as events: rows of the log, and records for Fluentd."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from grocery_demand.serving.events.log import Entries
from grocery_demand.serving.question import AS_PLANNED, FieldProblem
from grocery_demand.serving.served_forecast import Client, ServedForecast, storable
from grocery_demand.serving.served_model import Answers, ServedModel

_SATURDAY = 5
_MOST_PROBLEMS = 20
_LONGEST_PATH, _LONGEST_FIELD, _LONGEST_MESSAGE = 120, 80, 300


def describe_events(
    model: ServedModel,
    forecasts: Sequence[ServedForecast],
    answers: Answers,
    clients: Sequence[Client],
    *,
    tag: str,
    forwards: bool,
) -> Entries:
    """Return the events of forecasts that were made together.

    Args:
        model: Who forecast.
        forecasts: What is given.
        answers: The same, with the features that went in.
        clients: Who asked, one per forecast.
        tag: The events' tag.
        forwards: Whether they go to Fluentd, too.
    """
    now_ms, now = int(time.time() * 1000), time.perf_counter()
    features = to_json_objects(model.feature_names, answers.features)
    rows, outbox = [], []
    for i, forecast in enumerate(forecasts):
        row = _to_row(model, forecast, now_ms, tag) | {"client": clients[i].name}
        row["features"] = features[i]
        row["latency_ms"] = round(1000 * (now - clients[i].asked_at), 3)
        rows.append(row)
        if forwards:
            outbox.append(_to_outbox(row))
    return Entries(predictions=rows, outbox=outbox)


def _to_row(model: ServedModel, forecast: ServedForecast, now_ms: int, tag: str) -> dict[str, Any]:
    question, pointer = forecast.question, model.pointer
    product = question.product
    return {
        "id": forecast.event_id,
        "time_ms": now_ms,
        "tag": tag,
        "model_name": pointer.model_name,
        "model_version": pointer.model_version,
        "run_id": pointer.run_id,
        "cutoff": pointer.cutoff,
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
    record = {name: row[name] for name in row if name not in ("time_ms", "features", "tag")}
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


def describe_refusal(problems: Sequence[FieldProblem], path: str, client: Client) -> Entries:
    """Return what could not be answered, as rows of the log."""
    now = int(time.time() * 1000)
    return Entries(
        refusals=[
            {
                "time_ms": now,
                "client": client.name,
                "path": path[:_LONGEST_PATH],
                "field": storable(problem.field, _LONGEST_FIELD),
                "message": storable(problem.message, _LONGEST_MESSAGE),
            }
            for problem in problems[:_MOST_PROBLEMS]
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
