"""`kedro run --env cluster` on hosts with addresses of their own, with TLS; workers are lost."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

pytest.importorskip("distributed", reason="Dask is missing: the extra `cluster`")

from make_targets import ROOT
from moto_s3 import BUCKET, running_s3
from network_hosts import Host, hosts
from published import wait_for

if shutil.which("openssl") is None:
    pytest.skip("openssl is missing", allow_module_level=True)

SCHEDULER_PORT, WORKER_PORT, NANNY_PORT, TRAINING_PORTS = 8786, 9000, 9001, range(9100, 9130)
LOOPBACK = ("0100007F", "00000000000000000000000001000000")
"""127.0.0.1 and ::1, as the kernel writes them."""
SILENCE = 45
"""Seconds after which the scheduler gives a worker up; a minute or two where nobody waits."""
WORLD = "simulation.stores=6,simulation.items=20,simulation.start_date=2016-08-01"
WEAK = (
    "training.max_training_rows=8000,training.max_long_range_rows=2000,training.backtest_folds=2,"
    "training.backtest_fits=1,model_settings.lightgbm.n_estimators=15,gate.max_nwrmsle=0.9,"
    "gate.max_slice_loss=1"
)


@dataclass
class Place:
    """A scheduler and three workers, each on a host of its own, and a driver on another.

    Attributes:
        project: The driver's project.
        driver: Its host.
        workers: Hosts of the workers.
        variables: The environment of all of them.
        orders: Folder of the faults that are ordered; see `cluster_faults`.
        processes: What runs on the hosts.
    """

    project: Path
    driver: Host
    workers: list[Host]
    variables: dict[str, str]
    orders: Path
    processes: list[subprocess.Popen] = field(default_factory=list)

    def runs(
        self, *words: str, meanwhile: Callable[[], None] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Type a kedro command on the driver; do something else before it ends."""
        program = str(Path(sys.executable).with_name("kedro"))
        process = self.driver.start(
            [program, "run", "--env", "cluster", *words],
            self.project,
            self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if meanwhile:
            meanwhile()
        stdout, stderr = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def starts(self, host: Host, name: str, *words: str) -> Path:
        """Start one of Dask's programs on a host; return its log."""
        log = self.orders.with_name(f"{host.address}.log")
        program = str(Path(sys.executable).with_name("dask"))
        with log.open("a") as file:
            process = host.start(
                [program, name, *words], self.project, self.variables, stdout=file, stderr=file
            )
        self.processes.append(process)
        return log


@pytest.fixture(scope="module")
def place(project, empty_database, tmp_path_factory) -> Iterator[Place]:
    shutil.copy(empty_database, project / "mlflow.db")
    with ExitStack() as stack:
        bridge, scheduler, *workers, driver = stack.enter_context(hosts(6))
        s3 = stack.enter_context(running_s3(bridge.within, bridge.address))
        if not s3:
            pytest.skip("moto is missing: make tools")
        put_on_s3(project)
        subprocess.run([ROOT / "deploy/cluster/make-certificates"], cwd=project, check=True)
        orders = tmp_path_factory.mktemp("hosts") / "orders"
        orders.mkdir()
        address = f"tls://{scheduler.address}:{SCHEDULER_PORT}"
        variables = s3 | {
            "DASK_CONFIG": "conf/production/dask.yml",
            "DASK_SCHEDULER_ADDRESS": address,
            "GROCERY_DEMAND_TRAINING_PORTS": f"{TRAINING_PORTS[0]}:{TRAINING_PORTS[-1]}",
            "FAULTS": str(orders),
            "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": f"{SILENCE} s",
            "PYTHONPATH": os.pathsep.join([str(project / "src"), str(ROOT / "tests")]),
        }
        place = Place(project, driver, workers, variables, orders)
        stack.callback(end, place.processes)
        place.starts(
            scheduler, "scheduler", f"--host={scheduler.address}", f"--port={SCHEDULER_PORT}"
        )
        logs = [start_worker(place, host, address) for host in workers]
        wait_for(lambda: all("Registered to" in log.read_text() for log in logs), seconds=120)
        yield place


def start_worker(place: Place, host: Host, scheduler: str) -> Path:
    return place.starts(
        host, "worker", scheduler, "--nthreads=1", f"--worker-port={WORKER_PORT}",
        f"--nanny-port={NANNY_PORT}", f"--host={host.address}", "--dashboard-address=127.0.0.1:0",
        "--memory-limit=2GiB", "--preload=cluster_faults",
        f"--local-directory={place.orders.with_name(host.address)}",
    )  # fmt: skip


def put_on_s3(project: Path) -> None:
    """Let what all hosts share lie on S3."""
    path = project / "conf/cluster/globals.yml"
    values = yaml.safe_load(path.read_text())
    shared = {k: f"s3://{BUCKET}/{k}" for k, v in values.items() if str(v).startswith("data/")}
    assert "panel_parts" in shared
    path.write_text(yaml.safe_dump(values | shared | {"parts": 6}))


def end(processes: list[subprocess.Popen]) -> None:
    for process in reversed(processes):
        process.send_signal(signal.SIGTERM)
    for process in reversed(processes):
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def loop(place, world_of_six) -> subprocess.CompletedProcess[str]:
    """The whole loop, without a fault."""
    outcome = place.runs("--params", WEAK)
    assert outcome.returncode == 0, outcome.stderr
    return outcome


@pytest.fixture(scope="module")
def world_of_six(kedro) -> None:
    outcome = kedro("run", "--pipeline", "simulate", "--params", WORLD)
    assert outcome.returncode == 0, outcome.stderr


def test_the_whole_loop_runs_on_three_hosts_with_the_data_on_s3(place, loop):
    assert "Cluster: 3 workers" in loop.stderr
    assert "dashboard: http://" in loop.stderr
    assert "28/28" in loop.stderr
    assert re.search(r"Forecasts: \d+ series × 16 days", loop.stderr)
    data = place.project / "data"
    assert (data / "07_model_output/publication/current.json").exists()
    assert not (data / "03_primary/panel_parts").exists()


def test_every_connection_between_hosts_uses_a_port_that_the_docs_name(place, loop):
    """Of each connection, one end has a port of those that have to be open."""
    s3_port = int(place.variables["AWS_ENDPOINT_URL"].rpartition(":")[2])
    named = {SCHEDULER_PORT, WORKER_PORT, NANNY_PORT, s3_port, *TRAINING_PORTS}
    noted = [path.read_text().splitlines() for path in place.orders.glob("connections-of-*")]
    assert len(noted) == 3
    for lines in noted:
        ends = [set(map(int, line.split())) for line in lines]
        assert all(both & named for both in ends), lines
        assert any(both & set(TRAINING_PORTS) for both in ends)


def test_workers_listen_to_other_hosts_on_the_ports_that_the_docs_name_alone(place, loop):
    named = {WORKER_PORT, NANNY_PORT, *TRAINING_PORTS}
    noted = [path.read_text().splitlines() for path in place.orders.glob("listeners-of-*")]
    assert len(noted) == 3
    for lines in noted:
        heard = {int(line.split()[1]) for line in lines if line.split()[0] not in LOOPBACK}
        assert {WORKER_PORT, NANNY_PORT} <= heard, lines
        assert heard <= named, lines


def test_a_worker_killed_while_it_makes_features_is_not_missed(place, loop):
    (place.orders / "features").touch()
    outcome = place.runs("--pipeline", "fit", "--params", WEAK)
    assert (place.orders / "features.taken").exists()
    assert outcome.returncode == 0, outcome.stderr


def test_a_model_is_fitted_once_more_when_a_worker_is_killed_in_the_midst_of_it(place, loop):
    (place.orders / "training").touch()
    outcome = place.runs("--pipeline", "fit", "--params", WEAK)
    assert (place.orders / "training.taken").exists()
    assert outcome.returncode == 0, outcome.stderr
    assert "It is done anew" in outcome.stderr


def test_a_run_that_loses_workers_again_and_again_ends_and_leaves_the_champion(place, loop):
    served = place.project / "data/07_model_output/publication/current.json"
    before = served.read_text()
    order = place.orders / "training.always"
    order.touch()
    outcome = place.runs("--pipeline", "train", "--params", WEAK)
    order.unlink()
    assert outcome.returncode == 1
    assert "It was tried 2 times" in outcome.stderr
    assert "Traceback" not in outcome.stderr, outcome.stderr
    assert served.read_text() == before


LIST_SALES = f"""
import json

from pyarrow import fs

from grocery_demand.storage.place import Place

place = Place("s3://{BUCKET}/sales_parts")
print(json.loads(place.read("_manifest.json"))["table"])
system, path = place._open()
for each in system.get_file_info(fs.FileSelector(path, recursive=True)):
    if each.is_file:
        print(each.path, each.mtime)
"""


def list_sales(place: Place) -> tuple[set[str], set[str]]:
    """Return all files of the sales table in parts, and those of the version that stands."""
    words = [sys.executable, "-c", LIST_SALES]
    options = {"stdout": subprocess.PIPE, "text": True}
    process = place.driver.start(words, place.project, place.variables, **options)
    listed, _ = process.communicate()
    version, *files = listed.splitlines()
    return set(files), {file for file in files if version in file or "_manifest.json" in file}


def assert_told_and_sales_stand(
    place: Place, outcome: subprocess.CompletedProcess[str], standing: set[str]
) -> None:
    """See to it that a run ended in a message, and left the former sales and nothing else."""
    assert outcome.returncode == 1
    assert "Traceback" not in outcome.stderr, outcome.stderr
    assert list_sales(place) == (standing, standing)


def test_a_run_whose_workers_die_of_the_check_again_and_again_leaves_the_former_sales(place, loop):
    _, standing = list_sales(place)
    order = place.orders / "checking.always"
    order.touch()
    outcome = place.runs("--pipeline", "preprocess")
    order.unlink()
    assert_told_and_sales_stand(place, outcome, standing)
    # Whether they died of one block or all at once, nobody knows.
    assert re.search(r"Workers (died again and again|ended) while checking train", outcome.stderr)
    assert "GROCERY_DEMAND_WORKER_MEMORY" in outcome.stderr


def test_a_model_is_fitted_once_more_when_a_host_leaves_the_network_without_a_word(place, loop):
    """That host stays away from the tests that follow."""
    (place.orders / "vanish").touch()
    outcome = place.runs("--pipeline", "fit", "--params", WEAK)
    assert (place.orders / "vanish.taken").exists()
    assert outcome.returncode == 0, outcome.stderr
    assert "It is done anew" in outcome.stderr


def test_a_run_that_loses_the_scheduler_while_train_is_checked_says_so(place, loop):
    """The last test here: nobody starts it again."""
    (place.orders / "hold").touch()

    def kill_the_scheduler() -> None:
        wait_for((place.orders / "hold.taken").exists, seconds=120)
        place.processes[0].kill()

    _, standing = list_sales(place)
    outcome = place.runs("--pipeline", "preprocess", meanwhile=kill_the_scheduler)
    assert_told_and_sales_stand(place, outcome, standing)
    assert "The scheduler was lost" in outcome.stderr
