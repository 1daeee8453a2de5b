"""Runs of MLflow whose process was killed before it could end them."""

import os
import socket
from contextlib import suppress

PROCESS = "process"
"""Tag of each run: the host, its space of process numbers, and the number of the process."""


def describe_process() -> dict[str, str]:
    """Return the tag of this process's runs."""
    return {PROCESS: f"{_describe_host()} {os.getpid()}"}


def end_killed_runs() -> None:
    """End the runs as KILLED that are still open, but whose process on this host is gone.

    Only runs of the active run's experiment are looked at. Those of other hosts and containers are
    left alone: whether their processes live is not known here.
    """
    import mlflow
    from mlflow import MlflowClient

    active = mlflow.active_run()
    if active is None:
        return
    client = MlflowClient()
    running = "attributes.status = 'RUNNING'"
    for run in client.search_runs([active.info.experiment_id], running):
        place, _, process = run.data.tags.get(PROCESS, "").rpartition(" ")
        if place == _describe_host() and process.isdecimal() and not _is_alive(int(process)):
            client.set_terminated(run.info.run_id, "KILLED")


def _describe_host() -> str:
    """Return the host's name and what tells containers on it apart, where the system says that."""
    space = ""
    with suppress(OSError):
        space = os.readlink("/proc/self/ns/pid")
    return f"{socket.gethostname()} {space}".strip()


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
