"""Waiting for what workers make, without waiting for workers that are gone."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dask
from distributed import Client, Future, wait

from grocery_demand.cluster.client import are_stuck, list_workers
from grocery_demand.cluster.errors import MORE_MEMORY, ClusterError, WorkerLostError, explained

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LOOKS = 2
_SECONDS_BETWEEN_LINES = 10
_SECONDS_STUCK = 30

_TRIES = 2
"""Times that work is done if workers end meanwhile."""

_PATIENCE = 60
"""Seconds that lost workers have to be replaced by at least one."""

_told_of: set[str] = set()
"""Workers that are gone, and of whom that was said."""


@dataclass(frozen=True)
class Crew:
    """Workers to whom work was given.

    Attributes:
        client: The connection to them.
        homes: The worker of each part.
        stage: What they do, for messages.
        pinned: Whether each part's work was given to its worker. Dask forgets it if for a moment
            there is no worker at all, however soon others come.
    """

    client: Client
    homes: list[str]
    stage: str
    pinned: bool = True

    def gather(
        self,
        futures: list[Future],
        *,
        of: str = "parts",
        counted: list[Future] | None = None,
        together: bool = False,
    ) -> list[Any]:
        """Return what was made, in order.

        Args:
            futures: What is being made.
            of: Whose work is counted in the lines that tell how far it is.
            counted: What is counted there, if it is what they are made of.
            together: Whether none of the workers can go on without the others. Otherwise Dask has
                the work of a lost worker done again, as long as another one is left.

        Raises:
            WorkerLostError: If it cannot be made any more; what is left of it is cancelled.
            ClusterError: If no worker does anything any more, for want of memory.
        """
        pending, told, worked = set(futures), time.monotonic(), time.monotonic()
        while pending and not any(future.status == "error" for future in futures):
            before, pending = pending, self.await_one(pending)
            if len(pending) < len(before) or not are_stuck(self.client):
                worked = time.monotonic()
            if pending:
                self._require_workers(futures, time.monotonic() - worked, together)
            all_work = counted or futures
            if len(all_work) > 1 and time.monotonic() - told > _SECONDS_BETWEEN_LINES:
                told = time.monotonic()
                done = sum(future.status == "finished" for future in all_work)
                logger.info("%s: %d of %d %s done", self.stage, done, len(all_work), of)
        if not pending:
            self._tell_of_lost(set(list_workers(self.client)))
        return self.client.gather(futures)

    def await_one(self, pending: set[Future]) -> set[Future]:
        """Wait for one of them, but not long; return those that are not made yet."""
        try:
            # Dask waits in the connection made last, unless it is told which.
            with self.client.as_current():
                return wait(pending, _SECONDS_BETWEEN_LOOKS, return_when="FIRST_COMPLETED").not_done
        except TimeoutError:
            return pending

    def _require_workers(self, futures: list[Future], stuck: float, together: bool) -> None:
        """Raise an error, and cancel what is being made, if workers are gone or stuck too long."""
        present = set(list_workers(self.client))
        gone = set(self.homes) - present
        all_gone = self.pinned and gone == set(self.homes)
        if gone if together else all_gone or not present:
            self.client.cancel(futures, force=True)
            who = ", ".join(sorted(gone)) or "all that there were"
            _told_of.update(gone)
            raise WorkerLostError(f"Workers ended while {self.stage}: {who}.")
        self._tell_of_lost(present)
        if stuck > _SECONDS_STUCK:
            self.client.cancel(futures, force=True)
            raise ClusterError(
                f"While {self.stage} all workers have stopped, as each uses more than "
                f"{_pause_at():.0%} of its memory: {MORE_MEMORY}"
            )

    def _tell_of_lost(self, present: set[str]) -> None:
        """Warn of workers that are not there any more, once of each."""
        for worker in sorted(set(self.homes) - present - _told_of):
            _told_of.add(worker)
            logger.warning("Worker %s ended while %s: others do its work.", worker, self.stage)


def do_once_more(stage: str, begin: Callable[[], Crew], work: Callable[[Crew], Any]) -> Any:
    """Do some work, and once more if it was lost with its workers.

    Args:
        stage: What the cluster does, for messages.
        begin: Returns the workers that are to do it; called again for those that are left.
        work: What they are to do.

    Raises:
        ClusterError: If workers were lost both times.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            with explained(stage):
                crew = begin()
                return work(crew)
        except WorkerLostError as error:
            if not tries_left:
                raise ClusterError(
                    f"{error} It was tried {_TRIES} times. See the workers' logs; mostly they "
                    f"ran out of memory: {MORE_MEMORY} The champion is as it was."
                ) from error
            logger.warning("%s It is done anew.", error)
            _restart_waiting(crew)
    raise AssertionError(stage)


def await_workers(client: Client) -> list[str]:
    """Return the addresses of the workers that are there; wait for one if there is none.

    Raises:
        ClusterError: If none comes.
    """
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError as error:
        raise ClusterError(
            f"No worker is left, and none came within {_PATIENCE} seconds: see their logs, start "
            "some again, and run again. If they ran out of memory before they could begin, "
            f"{MORE_MEMORY} The champion is as it was."
        ) from error
    return list_workers(client)


def _restart_waiting(crew: Crew) -> None:
    """Free those that wait within LightGBM for a worker that is gone."""
    if waiting := sorted(set(list_workers(crew.client)) & set(crew.homes)):
        try:
            crew.client.restart_workers(waiting, timeout=_PATIENCE)
        except (ValueError, TimeoutError) as error:
            left = set(list_workers(crew.client))
            if left and left.isdisjoint(waiting):
                logger.warning("Going on with %d workers: %s", len(left), error)
                return
            raise ClusterError(
                f"A worker ended, and those that waited for it could not be started anew: "
                f"{error}. Start all workers again, with Dask's nanny (no `--no-nanny`), and "
                "run again. The champion is as it was."
            ) from error


def _pause_at() -> float:
    """Return the share of its memory at which a worker begins nothing new."""
    return float(dask.config.get("distributed.worker.memory.pause"))
