"""Waiting for what workers make, without waiting for workers that are gone."""

import logging
import time
from dataclasses import dataclass
from typing import Any

from distributed import Client, Future, wait

from grocery_demand.cluster.client import list_workers
from grocery_demand.cluster.errors import WorkerLostError

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LOOKS = 2
_SECONDS_BETWEEN_LINES = 10


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

    def gather(self, futures: list[Future], *, together: bool = False) -> list[Any]:
        """Return what was made, in order.

        Args:
            futures: What is being made.
            together: Whether none of the workers can go on without the others. Otherwise Dask has
                the work of a lost worker done again, as long as another one is left.

        Raises:
            WorkerLostError: If it cannot be made any more; what is left of it is cancelled.
        """
        pending, told = set(futures), time.monotonic()
        while pending and not any(future.status == "error" for future in futures):
            pending = self._wait(pending)
            gone = set(self.homes) - set(list_workers(self.client))
            if pending and (gone if together else gone == set(self.homes)):
                self.client.cancel(futures, force=True)
                raise WorkerLostError(f"Workers ended while {self.stage}: {', '.join(gone)}.")
            if time.monotonic() - told > _SECONDS_BETWEEN_LINES:
                told = time.monotonic()
                logger.info("%s: %d of %d", self.stage, len(futures) - len(pending), len(futures))
        return self.client.gather(futures)

    @staticmethod
    def _wait(pending: set[Future]) -> set[Future]:
        """Wait for one of them, but not long; return those that are not made yet."""
        try:
            return wait(pending, _SECONDS_BETWEEN_LOOKS, return_when="FIRST_COMPLETED").not_done
        except TimeoutError:
            return pending
