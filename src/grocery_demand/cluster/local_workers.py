"""Worker processes of this machine, which the run that started them ends."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path

from dask.utils import parse_bytes
from distributed import LocalCluster
from distributed.diskutils import DIR_LOCK_EXT
from distributed.system import MEMORY_LIMIT
from distributed.utils import LoopRunner
from tornado.ioloop import IOLoop

from grocery_demand.cluster.certificates import MEND
from grocery_demand.cluster.errors import ClusterError, say_no_more


def start_workers() -> LocalCluster:
    """Start as many as GROCERY_DEMAND_WORKERS says, by default one for each processor.

    Each has the memory of GROCERY_DEMAND_WORKER_MEMORY, by default its share of the machine's.

    Raises:
        ClusterError: If these make no sense, or no worker could be started.
    """
    wanted = os.environ.get("GROCERY_DEMAND_WORKERS") or str(os.cpu_count() or 1)
    if not wanted.isdecimal() or wanted == "0":
        raise ClusterError(f"GROCERY_DEMAND_WORKERS is {wanted!r}; allowed: a whole number from 1.")
    memory = os.environ.get("GROCERY_DEMAND_WORKER_MEMORY")
    if memory and not _is_size(memory):
        raise ClusterError(
            f"GROCERY_DEMAND_WORKER_MEMORY is {memory!r}; allowed: bytes with a unit, such as 4GiB."
        )
    try:
        with _loop_without_interrupts() as loop:
            return LocalCluster(
                n_workers=int(wanted),
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                memory_limit=memory or MEMORY_LIMIT // int(wanted),
                loop=loop,
            )
    except (OSError, RuntimeError, ValueError) as error:
        settings = os.environ.get("DASK_CONFIG")
        asked = (
            f" Dask's settings are those of {settings} (DASK_CONFIG), and no scheduler is named "
            f"(DASK_SCHEDULER_ADDRESS). {MEND}"
            if settings
            else ""
        )
        raise ClusterError(
            f"No workers could be started on this machine: {error}.{asked}"
        ) from error
    except (KeyboardInterrupt, SystemExit):
        say_no_more()
        raise


def end_workers(cluster: LocalCluster) -> None:
    """End the workers at once, whatever they are at, and remove their folders and locks."""
    for nanny in cluster.workers.values():
        nanny.auto_restart = False
        if nanny.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(nanny.pid, signal.SIGKILL)
            if folder := nanny.worker_dir:
                shutil.rmtree(folder, ignore_errors=True)
                Path(f"{folder}{DIR_LOCK_EXT}").unlink(missing_ok=True)
    cluster.close()


@contextmanager
def _loop_without_interrupts() -> Iterator[IOLoop]:
    """Give the loop of a thread whose processes never see Ctrl+C, which a terminal sends to all.

    A thread passes the signals that it blocks on to its threads and processes, so that workers
    that are started anew later do not see them either. Python unblocks SIGINT when it starts its
    tracker of resources, as it does before its first process: that is done here, beforehand.
    """
    resource_tracker.ensure_running()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        runner = LoopRunner()
        runner.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    try:
        yield runner.loop
    finally:
        runner.stop()


def _is_size(text: str) -> bool:
    try:
        return bool(parse_bytes(text) > 0)
    except ValueError:
        return False
