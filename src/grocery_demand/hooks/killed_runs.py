"""Runs of MLflow whose process was killed before it could end them."""

import os
import socket

PROCESS = "process"
"""Tag of each run: the host and the number of the process that records it."""


def describe_process() -> dict[str, str]:
    """Return the tag of this process's runs."""
    return {PROCESS: f"{socket.gethostname()} {os.getpid()}"}


def end_killed_runs() -> None:
    """End the runs as KILLED that are still open, but whose process on this host is gone.

    Only runs of the active run's experiment are looked at. Those of other hosts are left alone:
    whether their processes live is not known here.
    """
    import mlflow
    from mlflow import MlflowClient

    active = mlflow.active_run()
    if active is None:
        return
    client = MlflowClient()
    host = socket.gethostname()
    running = client.search_runs(
        [active.info.experiment_id],
        f"attributes.status = 'RUNNING' and tags.{PROCESS} LIKE '{host} %'",
    )
    for run in running:
        if not _is_alive(int(run.data.tags[PROCESS].removeprefix(host))):
            client.set_terminated(run.info.run_id, "KILLED")


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
