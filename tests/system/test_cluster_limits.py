"""Workers with too little memory, and one that is slow."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import cloudpickle
import numpy as np
import pytest

pytest.importorskip("distributed", reason="Dask is missing: the extra `cluster`")

import dask
from distributed import Client
from distributed.system import MEMORY_LIMIT

from grocery_demand.cluster import PartedPanelDataset
from grocery_demand.cluster.client import connect, pin
from grocery_demand.cluster.errors import ClusterError
from grocery_demand.cluster.local_workers import end_workers
from grocery_demand.cluster.panel import ClusterPanel
from grocery_demand.core.panel import Panel
from published import wait_for
from worlds import make_panel

MIB = 2**20
LIMIT = 800 * MIB
"""Memory of a worker; it holds some 300 MiB once it has read its parts."""


@pytest.fixture(scope="module", autouse=True)
def known_to_the_workers() -> None:
    """Functions of this file go to workers as they are, as workers cannot import it."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])


@contextmanager
def workers(number: int, memory: str = str(LIMIT)) -> Iterator[Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
        patch.setenv("GROCERY_DEMAND_WORKERS", str(number))
        patch.setenv("GROCERY_DEMAND_WORKER_MEMORY", memory)
        client = connect.__wrapped__()
    yield client
    client.close()
    client.cluster.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    """A panel in two parts."""
    folder = str(tmp_path_factory.mktemp("parts"))
    PartedPanelDataset(filepath=folder, parts=2).save(make_panel(seed=3, n_stores=4, n_days=120))
    return folder


@contextmanager
def parts(folder: str, number: int) -> Iterator[ClusterPanel]:
    """Have workers read it."""
    dataset = PartedPanelDataset(filepath=folder, parts=2)
    with workers(number) as client, pytest.MonkeyPatch.context() as patch:
        patch.setattr("grocery_demand.cluster.datasets.connect", lambda: client)
        yield dataset.load()


def test_workers_have_the_machines_memory_between_them_unless_another_is_named():
    with workers(3, memory="") as client:
        limits = [each["memory_limit"] for each in client.scheduler_info()["workers"].values()]
    assert len(limits) == 3
    assert sum(limits) == pytest.approx(MEMORY_LIMIT, rel=1e-6)
    assert sum(limits) <= MEMORY_LIMIT


def test_workers_that_are_ended_leave_nothing_on_the_disk(tmp_path):
    with dask.config.set(temporary_directory=str(tmp_path)), workers(1) as client:
        kept = {path.suffix for path in tmp_path.glob("*/worker-*")}
        assert kept == {"", ".dirlock"}
        end_workers(client.cluster)
        assert not list(tmp_path.glob("*/worker-*"))


def make_block(number: int) -> np.ndarray:
    return np.full(40 * MIB // 8, number, np.int64)


def test_what_does_not_fit_into_a_workers_memory_waits_on_its_disk():
    with workers(1) as client:
        (worker,) = client.scheduler_info()["workers"]
        blocks = [client.submit(make_block, number, **pin(worker)) for number in range(16)]
        firsts = client.gather([client.submit(lambda block: int(block[0]), b) for b in blocks])
        assert firsts == list(range(16))
        (held,) = client.run(lambda dask_worker: len(dask_worker.data.disk)).values()
        assert held > 0
        assert list(client.scheduler_info()["workers"]) == [worker], "it was started again"


def take_memory(part: Panel, size: int) -> int:
    return int(np.ones(size, np.uint8).sum())


def test_a_worker_whose_work_needs_more_than_its_memory_says_what_to_raise(folder):
    with (
        parts(folder, 1) as panel,
        pytest.raises(ClusterError, match=r"ran out of memory.*GROCERY_DEMAND_WORKER_MEMORY.*more"),
    ):
        panel.map(take_memory, 2 * LIMIT)


def end_once(part: Panel, folder: str) -> int:
    """End the process that comes here first."""
    with suppress(FileExistsError):
        (Path(folder) / "ended").mkdir()
        os.kill(os.getpid(), signal.SIGKILL)
    return part.n_days


def test_work_is_done_anew_though_the_only_worker_was_replaced_between_two_looks(
    folder, tmp_path, monkeypatch
):
    monkeypatch.setattr("grocery_demand.cluster.gathering._SECONDS_BETWEEN_LOOKS", 12)
    with parts(folder, 1) as panel:
        assert panel.map(end_once, str(tmp_path)) == [120] * 2


def hold_memory(part: Panel) -> int:
    """Let this process use 0.87 of its memory, and go on when Dask has seen it."""
    import gc

    import psutil
    from distributed import Status, get_worker

    if not hasattr(gc, "held"):
        gc.held = np.ones(int(LIMIT * 0.87) - psutil.Process().memory_info().rss, np.uint8)
    deadline = time.monotonic() + 60
    while get_worker().status != Status.paused and time.monotonic() < deadline:
        time.sleep(0.02)
    return len(part.series)


def test_workers_that_have_paused_for_want_of_memory_do_not_hang_the_run(folder, monkeypatch):
    monkeypatch.setattr("grocery_demand.cluster.gathering._SECONDS_STUCK", 2)
    said = r"all workers have stopped, .*80%.*give each more"
    with parts(folder, 1) as panel, pytest.raises(ClusterError, match=said):
        panel.map(hold_memory)


def stop_once(part: Panel, folder: str) -> int:
    """Stop the process that comes here first, as if others had its processor."""
    with suppress(FileExistsError):
        (Path(folder) / "stopped").mkdir()
        (Path(folder) / "beside").write_text(str(os.getpid()))
        (Path(folder) / "beside").rename(Path(folder) / "pid")
        os.kill(os.getpid(), signal.SIGSTOP)
    return part.n_days


def test_a_worker_that_is_slow_is_waited_for_and_the_wait_is_shown(
    folder, tmp_path, monkeypatch, caplog
):
    caplog.set_level("INFO")
    monkeypatch.setattr("grocery_demand.cluster.gathering._SECONDS_BETWEEN_LINES", 0)
    with parts(folder, 2) as panel, ThreadPoolExecutor() as pool:
        answers = pool.submit(panel.map, stop_once, str(tmp_path))
        shown = "asking 2 parts (stop_once): 0 of 2 parts done"
        wait_for(lambda: (tmp_path / "pid").exists() and shown in caplog.text, seconds=120)
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGCONT)
        assert answers.result() == [120] * 2
