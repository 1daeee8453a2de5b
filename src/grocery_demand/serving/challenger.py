"""A challenger that is served: it forecasts in a thread of its own and is left alone when it fails.

Whatever it does, the champion answers: a challenger that raises errors, hangs or falls behind
costs forecasts of its own only.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from grocery_demand.core.rollout import CANARY, Rollout, take_share
from grocery_demand.serving.forecasting import MOST_AT_ONCE, make_forecasts
from grocery_demand.serving.question import Question
from grocery_demand.serving.served_forecast import ServedForecast
from grocery_demand.serving.served_model import ServedModel

logger = logging.getLogger(__name__)

SECONDS_OF_REST = 30.0
"""How long a challenger is left alone after it failed several times in a row."""

FAILURES_BEFORE_REST = 3

_MOST_WAITING = 20_000

Made = tuple[list[ServedForecast], np.ndarray]
Done = Callable[[Made | Exception], None]


@dataclass(frozen=True)
class _Task:
    """Questions of one request; `done` is called in the challenger's thread."""

    questions: Sequence[Question]
    role: str
    done: Done


class Workbench:
    """The thread in which one challenger forecasts, and how it has been doing.

    Attributes:
        model: The challenger.
        problem: Why it is left alone, or was; empty if it does well.
        is_closed: Whether it takes no more questions.
    """

    def __init__(self, model: ServedModel) -> None:
        self.model = model
        self.problem = ""
        self.is_closed = False
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._n_waiting = 0
        self._counting = threading.Lock()
        self._failures = 0
        self._rests_until = float("-inf")
        name = f"challenger-{model.label.model_version}"
        threading.Thread(target=self._work, name=name, daemon=True).start()

    @property
    def is_resting(self) -> bool:
        """Whether it failed so often that it is left alone for a while."""
        return time.monotonic() < self._rests_until

    def submit(self, questions: Sequence[Question], role: str, done: Done) -> bool:
        """Hand questions over; return whether they were taken: not if too many wait already."""
        with self._counting:
            if self.is_closed or self._n_waiting + len(questions) > _MOST_WAITING:
                return False
            self._n_waiting += len(questions)
            self._tasks.put(_Task(questions, role, done))
        return True

    def note_failure(self, reason: str) -> None:
        """Count a failure; after several without a success in between it rests."""
        self._failures += 1
        if self._failures >= FAILURES_BEFORE_REST:
            self._rests_until = time.monotonic() + SECONDS_OF_REST
            if reason != self.problem:
                logger.error("The challenger is left alone for a while: %s", reason)
            self.problem = reason

    def note_success(self) -> None:
        """Count a success."""
        if self._failures:
            self._failures, self.problem = 0, ""

    def close(self) -> None:
        """Take no more questions; those that were taken are answered."""
        with self._counting:
            self.is_closed = True
            self._tasks.put(None)

    def _work(self) -> None:
        is_last = False
        while not is_last:
            group, is_last = self._next_group()
            for role in dict.fromkeys(task.role for task in group):
                self._answer([task for task in group if task.role == role], role)

    def _next_group(self) -> tuple[list[_Task], bool]:
        """Return what is waiting, and whether it was closed."""
        group: list[_Task] = []
        n_questions = 0
        task = self._tasks.get()
        while task is not None:
            group.append(task)
            n_questions += len(task.questions)
            if n_questions >= MOST_AT_ONCE or self._tasks.empty():
                break
            task = self._tasks.get()
        with self._counting:
            self._n_waiting -= n_questions
        return group, task is None

    def _answer(self, group: list[_Task], role: str) -> None:
        questions = [question for task in group for question in task.questions]
        try:
            forecasts, features = make_forecasts(self.model, questions, role)
        except Exception as error:
            logger.warning("The challenger failed", exc_info=True)
            self._hand_out(group, [error] * len(group))
            return
        outcomes: list[Made | Exception] = []
        start = 0
        for task in group:
            part = slice(start, start + len(task.questions))
            outcomes.append((forecasts[part], features[part]))
            start = part.stop
        self._hand_out(group, outcomes)

    def _hand_out(self, group: list[_Task], outcomes: Sequence[Made | Exception]) -> None:
        for task, outcome in zip(group, outcomes, strict=True):
            try:
                task.done(outcome)
            except Exception:
                logger.exception("A challenger's forecasts could not be handed over")


class Challenger:
    """A challenger and the share that it has.

    Args:
        rollout: How it is served.
        workbench: Where it forecasts.
    """

    def __init__(self, rollout: Rollout, workbench: Workbench) -> None:
        self.rollout = rollout
        self.workbench = workbench
        self._takes = take_share(workbench.model.panel.series, rollout)

    @property
    def model(self) -> ServedModel:
        """The challenger as it is served."""
        return self.workbench.model

    @property
    def is_canary(self) -> bool:
        """Whether its answers are given."""
        return self.rollout.mode == CANARY

    def takes(self, question: Question) -> bool:
        """Return whether a question is one of its share, and within what it can forecast."""
        reach = self.model.model.furthest_step
        return bool(self._takes[question.row]) and question.step <= reach
