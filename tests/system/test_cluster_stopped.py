"""`kedro run --env cluster` stopped while its local workers are at work."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from published import wait_for

pytest.importorskip("distributed", reason="Dask is missing: the extra `cluster`")


def stop_at_work(project: Path, number: int) -> tuple[int, str]:
    """Send a signal to the run and to its workers, as a terminal does; return how it ended."""
    process = subprocess.Popen(
        [Path(sys.executable).with_name("kedro"), "run", "--env", "cluster"],
        cwd=project,
        env={**os.environ, "GROCERY_DEMAND_WORKERS": "2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    before = []
    for line in process.stdout:
        before.append(line)
        if "Backtest: fitting" in line:
            break
    assert process.poll() is None, "".join(before)
    os.killpg(process.pid, number)
    said, _ = process.communicate()
    wait_for(lambda: not still_alive(process.pid), seconds=20)
    return process.returncode, said


def still_alive(group: int) -> list[psutil.Process]:
    """Return the processes of a group, but for those that have ended and nobody asked how."""
    alive = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process)
    return alive


@pytest.mark.parametrize(
    ("number", "status", "how"),
    [(signal.SIGINT, 130, "Interrupted"), (signal.SIGTERM, 143, "Stopped by SIGTERM")],
)
def test_a_run_that_is_stopped_says_so_in_one_sentence_and_leaves_no_worker(
    world, project, number, status, how
):
    ended, said = stop_at_work(project, number)
    assert ended == status
    assert said.startswith(f"Error: {how}. Champion, panel and forecasts are as the last"), said
    assert said.count("\n") == 1, said
