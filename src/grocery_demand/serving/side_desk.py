"""The desk beside: where the challenger forecasts, for people (canary) or for the log alone."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from grocery_demand.core.rollout import CANARY, SHADOW
from grocery_demand.serving.challenger import Challenger, Done, Made
from grocery_demand.serving.desk_metrics import DeskMetrics
from grocery_demand.serving.events.description import describe_events, describe_misses
from grocery_demand.serving.events.log import EventLog
from grocery_demand.serving.question import Question
from grocery_demand.serving.served_forecast import Client, ServedForecast

_TOO_MANY = "too many forecasts wait for it"


class SideDesk:
    """Puts questions to the challenger; whatever fails there is counted and left to the champion.

    Args:
        log: Where events are kept.
        tag: The events' tag.
        forwards: Whether events of answers that are given are to be forwarded.
        timeout: Seconds that a canary has for an answer.
        metrics: Where forecasts are counted.
    """

    def __init__(
        self, log: EventLog, tag: str, forwards: bool, timeout: float, metrics: DeskMetrics
    ) -> None:
        self._log = log
        self._tag = tag
        self._forwards = forwards
        self._timeout = timeout
        self._metrics = metrics

    async def answer(
        self, challenger: Challenger, questions: Sequence[Question], clients: Sequence[Client]
    ) -> list[ServedForecast] | None:
        """Return the canary's answers, each of them kept; None if the champion has to answer.

        Raises:
            EventLogError: If the events cannot be kept.
        """
        made = await self._ask(challenger, questions)
        if made is None:
            return None
        forecasts, features = made
        entries = describe_events(
            forecasts, features, clients, tag=self._tag, forwards=self._forwards
        )
        await asyncio.wrap_future(self._log.add(entries))
        self._metrics.count(CANARY, challenger.model, len(forecasts))
        return forecasts

    def shadow(
        self, challenger: Challenger, given: Sequence[ServedForecast], clients: Sequence[Client]
    ) -> None:
        """Let the challenger forecast what was answered, for the log alone; wait for nothing."""
        chosen = [i for i, forecast in enumerate(given) if challenger.takes(forecast.question)]
        if not chosen:
            return
        now = time.perf_counter()
        names = [replace(clients[i], asked_at=now) for i in chosen]
        ids = [given[i].event_id for i in chosen]
        done = partial(self._keep_shadows, challenger, names, ids)
        self._submit(challenger, [given[i].question for i in chosen], SHADOW, done)

    async def _ask(self, challenger: Challenger, questions: Sequence[Question]) -> Made | None:
        """Return what the challenger makes of questions in time; None if it does not."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Made | Exception] = loop.create_future()

        def settle(outcome: Made | Exception) -> None:
            if not future.done():
                future.set_result(outcome)

        def done(outcome: Made | Exception) -> None:
            loop.call_soon_threadsafe(settle, outcome)

        if not self._submit(challenger, questions, CANARY, done):
            return None
        try:
            async with asyncio.timeout(self._timeout):
                outcome = await future
        except TimeoutError:
            reason = f"it takes longer than {self._timeout:g} s"
            self._note_failure(challenger, CANARY, len(questions), reason)
            return None
        if isinstance(outcome, Exception):
            self._note_failure(challenger, CANARY, len(questions), _describe(outcome))
            return None
        challenger.workbench.note_success()
        return outcome

    def _submit(
        self, challenger: Challenger, questions: Sequence[Question], role: str, done: Done
    ) -> bool:
        """Hand questions over unless the challenger rests or is behind."""
        workbench = challenger.workbench
        if workbench.is_resting:
            self._note_miss(challenger, role, len(questions), workbench.problem)
            return False
        if workbench.submit(questions, role, done):
            return True
        if not workbench.is_closed:
            self._note_miss(challenger, role, len(questions), _TOO_MANY)
        return False

    def _keep_shadows(
        self,
        challenger: Challenger,
        clients: Sequence[Client],
        ids: Sequence[str],
        outcome: Made | Exception,
    ) -> None:
        """Keep what was made in shadow; called in the challenger's thread."""
        if isinstance(outcome, Exception):
            self._note_failure(challenger, SHADOW, len(ids), _describe(outcome))
            return
        challenger.workbench.note_success()
        forecasts, features = outcome
        entries = describe_events(
            forecasts, features, clients, tag=self._tag, forwards=False, shadow_of=ids
        )
        self._log.add(entries)
        self._metrics.count(SHADOW, challenger.model, len(forecasts))

    def _note_failure(self, challenger: Challenger, role: str, n: int, reason: str) -> None:
        challenger.workbench.note_failure(reason)
        self._note_miss(challenger, role, n, reason)

    def _note_miss(self, challenger: Challenger, role: str, n: int, reason: str) -> None:
        """Keep how many forecasts were not made, and why."""
        self._metrics.count_misses(role, challenger.model, n)
        version = challenger.model.label.model_version
        self._log.add(describe_misses(version, role, n, reason))


def _describe(error: Exception) -> str:
    return f"it raised {type(error).__name__}: {error}"
