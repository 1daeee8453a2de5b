"""The connection to the cluster: a scheduler that is named, or workers of this machine."""

import atexit
import logging
import os
from functools import cache
from typing import Any

import dask
from dask.utils import parse_timedelta
from distributed import Client
from distributed.comm import CommClosedError

from grocery_demand.cluster.certificates import (
    MEND,
    load_certificates,
    require_configuration,
)
from grocery_demand.cluster.errors import (
    SCHEDULER_LOST,
    ClusterError,
    say_no_more,
    say_what_is_wrong,
)
from grocery_demand.cluster.local_workers import end_workers, start_workers
from grocery_demand.cluster.ports import read_range, share_ports

logger = logging.getLogger(__name__)

_SETTINGS = {
    # Parts stay where they were read: moving one costs more than waiting for its worker.
    "distributed.scheduler.work-stealing": False,
    "distributed.admin.large-graph-warning-threshold": "200MB",
    # Worker processes that are started here tell what is wrong, and nothing else.
    "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "warning",
}


@cache
def connect() -> Client:
    """Return the connection of this process, made at first use.

    The environment's DASK_SCHEDULER_ADDRESS names a scheduler. Without it, worker processes are
    started here: as many as GROCERY_DEMAND_WORKERS says (by default one for each processor), each
    with GROCERY_DEMAND_WORKER_MEMORY (by default its share of the machine's).

    Raises:
        ClusterError: If the scheduler cannot be reached or has no worker, or a variable of the
            environment makes no sense.
    """
    require_configuration()
    read_range()
    dask.config.set(_SETTINGS)
    say_what_is_wrong()
    address = os.environ.get("DASK_SCHEDULER_ADDRESS")
    client = _reach(address) if address else Client(start_workers())
    workers = _describe_workers(client)
    logger.info(
        "Cluster: %d workers, %.1f GiB of memory in all; dashboard: %s",
        len(workers),
        sum(worker["memory_limit"] for worker in workers.values()) / 2**30,
        client.dashboard_link,
    )
    try:
        share_ports(workers)
    except ClusterError:
        _close(client)
        raise
    atexit.register(_close, client)
    return client


def _close(client: Client) -> None:
    """End the connection, and the workers that were started for it, without telling of each."""
    say_no_more()
    client.close()
    if client.cluster is not None:
        end_workers(client.cluster)


def list_workers(client: Client) -> list[str]:
    """Return the addresses of the workers that are there.

    Raises:
        ClusterError: If the scheduler is lost.
    """
    return sorted(_describe_workers(client))


def are_stuck(client: Client) -> bool:
    """Tell whether all workers have paused for want of memory, and none has work under way."""
    workers = _describe_workers(client).values()
    return bool(workers) and all(
        worker["status"] == "paused" and not worker["metrics"]["task_counts"].get("executing")
        for worker in workers
    )


def _describe_workers(client: Client) -> dict[str, dict[str, Any]]:
    """Return what the scheduler says of each worker.

    It is asked itself: `Client.scheduler_info` gives what the client noted last, and every two
    seconds that is a note without workers, which may come between.
    """
    if client.status != "running":
        raise ClusterError(SCHEDULER_LOST)
    try:
        told = client.sync(client.scheduler.identity, n_workers=-1)
    except (OSError, ValueError) as error:
        raise ClusterError(SCHEDULER_LOST) from error
    workers: dict[str, dict[str, Any]] = told["workers"]
    return workers


def pin(worker: str) -> dict[str, Any]:
    """Return what tells `Client.submit` to use a worker as long as it is there."""
    return {"workers": [worker], "allow_other_workers": True}


def only(worker: str) -> dict[str, Any]:
    """Return what tells `Client.submit` to use a worker and no other."""
    return {"workers": [worker], "allow_other_workers": False}


def _reach(address: str) -> Client:
    """Connect to a scheduler, and wait for a worker as long as for its answer."""
    patience = parse_timedelta(dask.config.get("distributed.comm.timeouts.connect"))
    security = load_certificates(address)
    try:
        client = Client(address, timeout=patience, security=security)
        _wait_for_a_worker(client, address, patience)
    except (OSError, ValueError) as error:
        if address.startswith("tls://") and isinstance(error, CommClosedError):
            raise ClusterError(
                f"The scheduler at {address} (DASK_SCHEDULER_ADDRESS) and this process do not take "
                f"each other's certificates: {error}. Both need them from one authority. {MEND}"
            ) from error
        raise ClusterError(
            f"No scheduler answers at {address} (DASK_SCHEDULER_ADDRESS): {error}. Start one with "
            "`dask scheduler`, give the address that it prints (tls://… if it asks for "
            "certificates), or unset the variable to run on worker processes of this machine."
        ) from error
    return client


def _wait_for_a_worker(client: Client, address: str, patience: float) -> None:
    """Wait until a worker is there; if none comes, end the connection, too."""
    try:
        client.wait_for_workers(1, timeout=patience)
    except TimeoutError as error:
        client.close()
        raise ClusterError(
            f"The scheduler at {address} (DASK_SCHEDULER_ADDRESS) has no worker after "
            f"{patience:g} seconds: start some with `dask worker {address}`, or see why those that "
            "should be there ended."
        ) from error
    except BaseException:
        client.close()
        raise
