"""What goes wrong on a cluster, in words that say how to mend it."""

import logging
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager

from distributed import KilledWorker
from distributed.client import FutureCancelledError, FuturesCancelledError
from distributed.comm import CommClosedError

from grocery_demand.core.errors import GroceryDemandError

MORE_MEMORY = (
    "give each more (GROCERY_DEMAND_WORKER_MEMORY for local workers, the pod's limit or "
    "`dask worker --memory-limit` elsewhere), add workers, or, if a single part does not fit, cut "
    "the panel into more parts (`parts` in conf/cluster/globals.yml, then `kedro run --pipeline "
    "preprocess --env cluster`)."
)

SCHEDULER_LOST = (
    "The scheduler was lost: see its log, start it again if it has ended, and run again. The "
    "champion is as it was."
)


class ClusterError(GroceryDemandError):
    """The cluster cannot be reached, or has lost what it was working on."""


class WorkerLostError(ClusterError):
    """A worker ended while others waited for what it was doing."""


def say_what_is_wrong() -> None:
    """Let Dask tell what is wrong, but not that it could not cancel what had not begun."""
    logging.getLogger("distributed").setLevel(logging.WARNING)
    logging.getLogger("tornado.application").addFilter(_is_no_early_interrupt)


def _is_no_early_interrupt(record: logging.LogRecord) -> bool:
    """Leave out what `distributed.utils.sync` makes of Ctrl+C that comes before it asks anything.

    It then cancels a `future` that is not there yet.
    """
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, NameError) and error.name == "future")


def say_no_more() -> None:
    """Let Dask no longer tell of each connection and worker that ends."""
    for name in ("distributed", "distributed.client"):  # Dask gives both a level of their own
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def explained(stage: str) -> Iterator[None]:
    """Turn Dask's errors into ones that say what to do; those of the work itself pass.

    Args:
        stage: What the cluster was doing, for the message.
    """
    try:
        yield
    except KilledWorker as error:
        last = getattr(error.last_worker, "address", error.last_worker)
        raise ClusterError(
            f"Workers died again and again while {stage} (last: {last}). Mostly they "
            f"ran out of memory: {MORE_MEMORY}"
        ) from error
    except MemoryError as error:
        raise ClusterError(
            f"A worker had too little memory while {stage}: {MORE_MEMORY}"
        ) from error
    except (
        CommClosedError, FutureCancelledError, FuturesCancelledError, CancelledError
    ) as error:  # fmt: skip
        raise ClusterError(f"{SCHEDULER_LOST} It was {stage}.") from error
    except (KeyboardInterrupt, SystemExit):
        say_no_more()
        raise
