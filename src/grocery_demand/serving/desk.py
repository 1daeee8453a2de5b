"""The desk: questions that arrive together are answered together, and kept before they leave."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from grocery_demand.core.rollout import CHAMPION
from grocery_demand.serving.desk_metrics import DeskMetrics
from grocery_demand.serving.events.description import describe_events, describe_refusal
from grocery_demand.serving.events.log import Entries, EventLog
from grocery_demand.serving.forecasting import MOST_AT_ONCE, make_forecasts
from grocery_demand.serving.question import FieldProblem, Question
from grocery_demand.serving.served import Served
from grocery_demand.serving.served_forecast import Client, ServedForecast
from grocery_demand.serving.side_desk import SideDesk

_SECONDS_TO_GATHER = 0.001
"""Given to those that were answered and ask again, so that they join those that wait."""

_MOST_ON_THE_WAY = 1
"""Groups of answers on their way to the disk; what arrives meanwhile forms the next group."""

_Waiting = tuple[Served, Question, Client, "asyncio.Future[Any]"]


class Desk:
    """Answers questions, each one an event: by the champion, or by the canary its share.

    Args:
        log: Where events are kept.
        tag: The events' tag.
        refusal_tag: The tag of what is refused.
        forwards: Whether events are to be forwarded.
        beside: Where the challenger forecasts.
        metrics: Where forecasts are counted.
    """

    def __init__(
        self,
        log: EventLog,
        tag: str,
        refusal_tag: str,
        forwards: bool,
        beside: SideDesk,
        metrics: DeskMetrics,
    ) -> None:
        self._log = log
        self._tag = tag
        self._refusal_tag = refusal_tag
        self._forwards = forwards
        self._beside = beside
        self._metrics = metrics
        self._waiting: list[_Waiting] = []
        self._n_on_the_way = 0

    async def answer(self, served: Served, question: Question, client: Client) -> ServedForecast:
        """Answer one question, together with those that arrive at the same moment.

        Raises:
            EventLogError: If the event cannot be kept.
        """
        canary = served.canary_for(question)
        if canary is not None:
            answered = await self._beside.answer(canary, [question], [client])
            if answered is not None:
                return answered[0]
        loop = asyncio.get_running_loop()
        future: asyncio.Future[ServedForecast] = loop.create_future()
        self._waiting.append((served, question, client, future))
        if len(self._waiting) == 1 and self._n_on_the_way < _MOST_ON_THE_WAY:
            loop.call_soon(self._answer_if_any)
        return await future

    async def answer_all(
        self, served: Served, questions: Sequence[Question], client: Client
    ) -> list[ServedForecast]:
        """Answer many questions of one request, in a thread.

        Raises:
            EventLogError: If the events cannot be kept.
        """
        answered: list[ServedForecast] = []
        for start in range(0, len(questions), MOST_AT_ONCE):
            part = questions[start : start + MOST_AT_ONCE]
            clients = [replace(client, place=start + i) for i in range(len(part))]
            answered += await self._answer_part(served, part, clients)
        return answered

    def refuse(self, problems: Sequence[FieldProblem], path: str, client: Client) -> None:
        """Keep what could not be answered, without waiting for it."""
        self._log.add(
            describe_refusal(problems, path, client, tag=self._refusal_tag, forwards=self._forwards)
        )

    async def _answer_part(
        self, served: Served, questions: Sequence[Question], clients: Sequence[Client]
    ) -> list[ServedForecast]:
        """Answer its share by the canary, and the rest and what it leaves by the champion."""
        answered: dict[int, ServedForecast] = {}
        canaries = [i for i, q in enumerate(questions) if served.canary_for(q) is not None]
        if canaries and served.challenger is not None:
            asked, askers = [questions[i] for i in canaries], [clients[i] for i in canaries]
            given = await self._beside.answer(served.challenger, asked, askers)
            answered = dict(zip(canaries, given or [], strict=False))
        rest = [i for i in range(len(questions)) if i not in answered]
        if rest:
            asked, askers = [questions[i] for i in rest], [clients[i] for i in rest]
            forecasts, entries = await asyncio.to_thread(self._forecast, served, asked, askers)
            await asyncio.wrap_future(self._log.add(entries))
            self._shadow(served, forecasts, askers)
            answered |= dict(zip(rest, forecasts, strict=True))
        return [answered[i] for i in range(len(questions))]

    def _answer_waiting(self) -> None:
        """Answer what waits; what arrives until it is on the disk is answered together then."""
        waiting, self._waiting = self._waiting, []
        by_publication: dict[int, list[_Waiting]] = {}
        for entry in waiting:
            by_publication.setdefault(id(entry[0]), []).append(entry)
        for entries in by_publication.values():
            self._answer_together(entries)

    def _answer_if_any(self) -> None:
        if self._waiting and self._n_on_the_way < _MOST_ON_THE_WAY:
            self._answer_waiting()

    def _answer_together(self, waiting: list[_Waiting]) -> None:
        published, questions, clients, futures = zip(*waiting, strict=True)
        loop = asyncio.get_running_loop()
        try:
            forecasts, entries = self._forecast(published[0], questions, clients)
        except Exception as error:
            _settle(futures, error)
            return
        self._n_on_the_way += 1

        def hand_out(written: Future[None]) -> None:
            self._n_on_the_way -= 1
            failure = written.exception()
            _settle(futures, failure or forecasts)
            loop.call_later(_SECONDS_TO_GATHER, self._answer_if_any)
            if failure is None:
                self._shadow(published[0], forecasts, clients)

        self._log.add(entries).add_done_callback(
            lambda written: loop.call_soon_threadsafe(hand_out, written)
        )

    def _forecast(
        self, served: Served, questions: Sequence[Question], clients: Sequence[Client]
    ) -> tuple[list[ServedForecast], Entries]:
        """Answer questions by the champion and describe them as events."""
        forecasts, features = make_forecasts(served.champion, questions, CHAMPION)
        entries = describe_events(
            forecasts, features, clients, tag=self._tag, forwards=self._forwards
        )
        self._metrics.count(CHAMPION, served.champion, len(forecasts))
        return forecasts, entries

    def _shadow(
        self, served: Served, given: Sequence[ServedForecast], clients: Sequence[Client]
    ) -> None:
        challenger = served.challenger
        if challenger is not None and not challenger.is_canary:
            self._beside.shadow(challenger, given, clients)


def _settle(futures: Sequence[asyncio.Future[Any]], outcome: Any) -> None:
    """Give each waiting request its forecast, or all of them the error."""
    for i, future in enumerate(futures):
        if future.done():
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome[i])
