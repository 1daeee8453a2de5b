"""The desk: questions that arrive together are answered together, and kept before they leave."""

import asyncio
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from grocery_demand.core.intervals import QUANTILES
from grocery_demand.serving.assortment import AS_PLANNED, FieldProblem, Question
from grocery_demand.serving.events.log import Entries, EventLog
from grocery_demand.serving.served_model import Answers, ServedModel, list_effects

_MOST_AT_ONCE = 512
_SECONDS_TO_GATHER = 0.001
"""Given to those that were answered and ask again, so that they join those that wait."""

_MOST_ON_THE_WAY = 1
"""Groups of answers on their way to the disk; what arrives meanwhile forms the next group."""
_DECIMALS = 4
_LONGEST_CLIENT = 80


@dataclass(frozen=True)
class Client:
    """Who asks.

    Attributes:
        name: Its name for itself, or its program's.
        asked_at: `time.perf_counter()` when the request arrived.
    """

    name: str
    asked_at: float


@dataclass(frozen=True)
class ServedForecast:
    """One forecast that was given.

    Attributes:
        question: What was asked.
        model: Who answered.
        units: Point forecast in units.
        quantiles: `QUANTILES` in units.
        long_range: Whether the day lies beyond the horizon.
        onpromotion: The promotion that it was made with.
        usual: What recent weeks let expect on that weekday, in units.
        effects: What moved it most: driver and factor on 1 + units.
        event_id: The event's id.
    """

    question: Question
    model: ServedModel
    units: float
    quantiles: tuple[float, ...]
    long_range: bool
    onpromotion: bool
    usual: float
    effects: list[dict[str, Any]]
    event_id: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as programs read it."""
        pointer = self.model.pointer
        return {
            "date": self.question.date,
            "item_nbr": self.question.product.item_nbr,
            "store_nbr": self.question.store_nbr,
            "onpromotion": self.onpromotion,
            "units": self.units,
            "quantiles": dict(zip((q.removeprefix("quantile_") for q in QUANTILES),
                                  self.quantiles, strict=True)),
            "long_range": self.long_range,
            "moving_average": self.usual,
            "contributions": self.effects,
            "model_version": pointer.model_version,
            "cutoff": pointer.cutoff,
            "event_id": self.event_id,
        }  # fmt: skip


_Waiting = tuple[ServedModel, Question, Client, "asyncio.Future[Any]"]


class Desk:
    """Answers questions, each one an event.

    Args:
        log: Where events are kept.
        tag: The events' tag.
        forwards: Whether events are to be forwarded.
    """

    def __init__(self, log: EventLog, tag: str, forwards: bool) -> None:
        self._log = log
        self._tag = tag
        self._forwards = forwards
        self._waiting: list[_Waiting] = []
        self._n_on_the_way = 0

    async def answer(
        self, model: ServedModel, question: Question, client: Client
    ) -> ServedForecast:
        """Answer one question, together with those that arrive at the same moment.

        Raises:
            EventLogError: If the event cannot be kept.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[ServedForecast] = loop.create_future()
        self._waiting.append((model, question, client, future))
        if len(self._waiting) == 1 and self._n_on_the_way < _MOST_ON_THE_WAY:
            loop.call_soon(self._answer_if_any)
        return await future

    async def answer_all(
        self, model: ServedModel, questions: Sequence[Question], client: Client
    ) -> list[ServedForecast]:
        """Answer many questions of one request, in a thread.

        Raises:
            EventLogError: If the events cannot be kept.
        """
        answered: list[ServedForecast] = []
        for start in range(0, len(questions), _MOST_AT_ONCE):
            part = questions[start : start + _MOST_AT_ONCE]
            forecasts, entries = await asyncio.to_thread(
                self._forecast, model, part, [client] * len(part)
            )
            await asyncio.wrap_future(self._log.add(entries))
            answered += forecasts
        return answered

    def refuse(self, problems: Sequence[FieldProblem], path: str, client: Client) -> None:
        """Keep what could not be answered, without waiting for it."""
        now = int(time.time() * 1000)
        self._log.add(
            Entries(
                refusals=[
                    {
                        "time_ms": now,
                        "client": client.name,
                        "path": path[:120],
                        "field": _storable(problem.field, 80),
                        "message": _storable(problem.message, 300),
                    }
                    for problem in problems[:20]
                ]
            )
        )

    def _answer_waiting(self) -> None:
        """Answer what waits; what arrives until it is on the disk is answered together then."""
        waiting, self._waiting = self._waiting, []
        by_model: dict[int, list[_Waiting]] = {}
        for entry in waiting:
            by_model.setdefault(id(entry[0]), []).append(entry)
        for entries in by_model.values():
            self._answer_together(entries)

    def _answer_if_any(self) -> None:
        if self._waiting and self._n_on_the_way < _MOST_ON_THE_WAY:
            self._answer_waiting()

    def _answer_together(self, waiting: list[_Waiting]) -> None:
        models, questions, clients, futures = zip(*waiting, strict=True)
        loop = asyncio.get_running_loop()
        try:
            forecasts, entries = self._forecast(models[0], questions, clients)
        except Exception as error:
            _settle(futures, error)
            return
        self._n_on_the_way += 1

        def hand_out(written: Future[None]) -> None:
            self._n_on_the_way -= 1
            _settle(futures, written.exception() or forecasts)
            loop.call_later(_SECONDS_TO_GATHER, self._answer_if_any)

        self._log.add(entries).add_done_callback(
            lambda written: loop.call_soon_threadsafe(hand_out, written)
        )

    def _forecast(
        self, model: ServedModel, questions: Sequence[Question], clients: Sequence[Client]
    ) -> tuple[list[ServedForecast], Entries]:
        """Answer questions and describe them as events."""
        answers = model.answer(
            np.fromiter((q.row for q in questions), int, len(questions)),
            np.fromiter((q.step for q in questions), int, len(questions)),
            np.fromiter((q.what_if for q in questions), np.int8, len(questions)),
        )
        units = answers.units.astype(float).round(_DECIMALS).tolist()
        usual = answers.moving_average.astype(float).round(_DECIMALS).tolist()
        forecasts = []
        for i, question in enumerate(questions):
            forecasts.append(
                ServedForecast(
                    question=question,
                    model=model,
                    units=units[i][0],
                    quantiles=tuple(units[i][1:]),
                    long_range=bool(answers.long_range[i]),
                    onpromotion=bool(answers.onpromotion[i]),
                    usual=usual[i],
                    effects=[] if answers.moves is None else list_effects(answers.moves[i]),
                    event_id=uuid.uuid4().hex,
                )
            )
        return forecasts, self._describe(model, forecasts, answers, clients)

    def _describe(
        self,
        model: ServedModel,
        forecasts: Sequence[ServedForecast],
        answers: Answers,
        clients: Sequence[Client],
    ) -> Entries:
        now_ms, now = int(time.time() * 1000), time.perf_counter()
        features = to_json_objects(model.feature_names, answers.features)
        rows, outbox = [], []
        for i, forecast in enumerate(forecasts):
            row = self._to_row(model, forecast, now_ms, clients[i].name)
            row["features"] = features[i]
            row["latency_ms"] = round(1000 * (now - clients[i].asked_at), 3)
            rows.append(row)
            if self._forwards:
                outbox.append(self._to_outbox(row))
        return Entries(predictions=rows, outbox=outbox)

    def _to_row(
        self, model: ServedModel, forecast: ServedForecast, now_ms: int, client: str
    ) -> dict[str, Any]:
        question, pointer = forecast.question, model.pointer
        product = question.product
        return {
            "id": forecast.event_id,
            "time_ms": now_ms,
            "tag": self._tag,
            "client": client,
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

    def _to_outbox(self, row: dict[str, Any]) -> dict[str, Any]:
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
            "dayoff": weekday >= 5,  # noqa: PLR2004
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


def client_name(headers: Any) -> str:
    """Return what a client calls itself: `X-Client-Name`, or its program's name and version."""
    name = headers.get("x-client-name") or headers.get("user-agent", "unknown").split(" ")[0]
    return _storable(name, _LONGEST_CLIENT) or "unknown"


def _storable(text: str, longest: int) -> str:
    """Return text that every database takes."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")[:longest]


def _settle(futures: Sequence[asyncio.Future[Any]], outcome: Any) -> None:
    """Give each waiting request its forecast, or all of them the error."""
    for i, future in enumerate(futures):
        if future.done():
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome[i])
