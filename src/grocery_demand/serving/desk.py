"""The desk: questions that arrive together are answered together, and kept before they leave."""

import asyncio
import uuid
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from grocery_demand.serving.events.description import describe_events, describe_refusal
from grocery_demand.serving.events.log import Entries, EventLog
from grocery_demand.serving.question import FieldProblem, Question
from grocery_demand.serving.served_forecast import Client, ServedForecast
from grocery_demand.serving.served_model import ServedModel, list_effects

_MOST_AT_ONCE = 512
_SECONDS_TO_GATHER = 0.001
"""Given to those that were answered and ask again, so that they join those that wait."""

_MOST_ON_THE_WAY = 1
"""Groups of answers on their way to the disk; what arrives meanwhile forms the next group."""

_DECIMALS = 4

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
        self._log.add(describe_refusal(problems, path, client))

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
        entries = describe_events(
            model, forecasts, answers, clients, tag=self._tag, forwards=self._forwards
        )
        return forecasts, entries


def _settle(futures: Sequence[asyncio.Future[Any]], outcome: Any) -> None:
    """Give each waiting request its forecast, or all of them the error."""
    for i, future in enumerate(futures):
        if future.done():
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome[i])
