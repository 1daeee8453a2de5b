"""Waiting for what workers make, without waiting for workers that are gone."""

import logging
import time
from dataclasses import dataclass
from typing import Any

import dask
from distributed import Client, Future, wait

from grocery_demand.cluster.client import are_stuck, list_workers
from grocery_demand.cluster.errors import MORE_MEMORY, ClusterError, WorkerLostError

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LOOKS = 2
_SECONDS_BETWEEN_LINES = 10
_SECONDS_STUCK = 30


@dataclass(frozen=True)
class Crew:
    """Workers to whom work was given.

    Attributes:
        client: The connection to them.
        homes: The worker of each part.
        stage: What they do, for messages.
    """

    client: Client
    homes: list[str]
    stage: str

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
        gone = set(self.homes) - set(list_workers(self.client))
        if gone if together else gone == set(self.homes):
            self.client.cancel(futures, force=True)
            raise WorkerLostError(f"Workers ended while {self.stage}: {', '.join(gone)}.")
        if stuck > _SECONDS_STUCK:
            self.client.cancel(futures, force=True)
            raise ClusterError(
                f"While {self.stage} all workers have stopped, as each uses more than "
                f"{_pause_at():.0%} of its memory: {MORE_MEMORY}"
            )


def _pause_at() -> float:
    """Return the share of its memory at which a worker begins nothing new."""
    return float(dask.config.get("distributed.worker.memory.pause"))
