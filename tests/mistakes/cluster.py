"""Mistakes with a cluster: its panel, its address, its workers, its certificates."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grocery_demand.storage.panel_folder import read_digest, read_panel
from grocery_demand.storage.parted_panel import PartedPlace
from mistakes.user import User, mistake, typed
from project_copies import WEAK
from published import wait_for
from typed_commands import Outcome, Typed

FIT = "kedro run --pipeline fit --env cluster"
FAULTS = Path(__file__).parents[1] / "cluster_faults.py"
NOBODY = "127.0.0.1:9"
HASTY = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "1s"}
ENCRYPTED = {"DASK_CONFIG": "conf/production/dask.yml"}

typed("The panel in parts is not made yet", FIT)


def fit(user: User, *, newer: bool = True, **variables: str) -> Outcome:
    """Type the command where a panel in parts is named; nobody comes as far as reading it."""
    folder = user.project / "data/03_primary/panel_parts"
    folder.mkdir()
    beside = read_digest(user.project / "data/03_primary/panel") if newer else None
    try:
        PartedPlace(str(folder)).write_manifest("version-none", {"beside": beside}, 1)
        return user.types(FIT, variables=HASTY | variables)
    finally:
        shutil.rmtree(folder)


@mistake("The panel in parts is older than one machine's")
def _(user: User) -> Outcome:
    return fit(user, newer=False)


typed("The daily job over a cluster", "kedro daily --env cluster")


@mistake("The extra for a cluster is not installed")
def _(user: User) -> Outcome:
    folder = user.project.parent / "without-dask"
    folder.mkdir(exist_ok=True)
    missing = "raise ModuleNotFoundError(\"No module named 'distributed'\", name='distributed')"
    (folder / "distributed.py").write_text(missing)
    paths = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    typed = [sys.executable, "-m", *FIT.split()]
    ended = subprocess.run(
        typed, cwd=user.project, env=os.environ | {"PYTHONPATH": paths}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    return Outcome(ended.returncode, ended.stdout + ended.stderr)


@mistake("Two places of parts are the same")
def _(user: User) -> Outcome:
    places = "conf/cluster/globals.yml"
    other, same = b"data/03_primary/panel_parts", b"data/02_intermediate/sales"
    with user.changed(places, lambda text: text.replace(other, same)):
        return user.types(FIT)


@mistake("A place of parts that cannot be written to")
def _(user: User) -> Outcome:
    places, lies = "conf/cluster/globals.yml", b"data/07_model_output/forecasts.parquet"
    below_a_file = b"data/08_reporting/metrics.json/forecasts"
    with user.changed(places, lambda text: text.replace(lies, below_a_file)):
        return user.types("kedro run --env cluster")


@mistake("A number of workers that makes no sense")
def _(user: User) -> Outcome:
    return fit(user, GROCERY_DEMAND_WORKERS="two")


@mistake("No scheduler at the address")
def _(user: User) -> Outcome:
    return fit(user, DASK_SCHEDULER_ADDRESS=f"tcp://{NOBODY}")


@mistake("A scheduler without workers")
def _(user: User) -> Outcome:
    with scheduler(user.project.parent) as (address, _):
        return fit(user, DASK_SCHEDULER_ADDRESS=address)


@mistake("The scheduler ends while workers work")
def _(user: User) -> Outcome:
    orders = user.project.parent / "orders"
    orders.mkdir()
    (orders / "hold").touch()
    beside = user.project.parent
    with parts(user), scheduler(beside) as (address, process), worker(address, orders):
        patient = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "20s"}
        variables = patient | {"DASK_SCHEDULER_ADDRESS": address}
        fitting = Typed([*FIT.split(), "--params", WEAK], user.project, variables=variables)
        wait_for(lambda: (orders / "hold.taken").exists() or not fitting.process.is_alive())
        process.kill()
        outcome = fitting.wait()
    assert (orders / "hold.taken").exists(), outcome.said
    return outcome


@contextmanager
def parts(user: User) -> Iterator[None]:
    """Cut the panel that one machine has into parts."""
    from grocery_demand.cluster import PartedPanelDataset

    joined, folder = (user.project / "data/03_primary" / name for name in ("panel", "panel_parts"))
    dataset = PartedPanelDataset(filepath=str(folder), parts=2, joined={"filepath": str(joined)})
    dataset.save(read_panel(joined))
    try:
        yield
    finally:
        shutil.rmtree(folder)


@contextmanager
def worker(address: str, orders: Path) -> Iterator[None]:
    """Start one that has the faults that are ordered."""
    words = ["worker", address, "--host=127.0.0.1", "--no-nanny", "--no-dashboard"]
    process = subprocess.Popen(
        [Path(sys.executable).with_name("dask"), *words, f"--preload={FAULTS}"],
        env=os.environ | {"FAULTS": str(orders)}, cwd=orders, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def scheduler(folder: Path) -> Iterator[tuple[str, subprocess.Popen]]:
    """Start one that nobody joins; its address, and the process."""
    told = folder / "scheduler.json"
    words = ["scheduler", "--host=127.0.0.1", "--port=0", "--no-dashboard"]
    process = subprocess.Popen(
        [Path(sys.executable).with_name("dask"), *words, f"--scheduler-file={told}"],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(told.exists)
        yield json.loads(told.read_text())["address"], process
    finally:
        process.terminate()
        process.wait()
        told.unlink(missing_ok=True)


@mistake("A scheduler at tls://, and no certificate is named")
def _(user: User) -> Outcome:
    return fit(user, DASK_SCHEDULER_ADDRESS=f"tls://{NOBODY}")


@mistake("`DASK_CONFIG` names a file that is not there")
def _(user: User) -> Outcome:
    return fit(user, DASK_CONFIG="conf/prod/dask.yml")


@mistake("A certificate is not there")
def _(user: User) -> Outcome:
    return fit(user, DASK_SCHEDULER_ADDRESS=f"tls://{NOBODY}", **ENCRYPTED)


@mistake("An address without tls://, where certificates are asked for")
def _(user: User) -> Outcome:
    return fit(user, DASK_SCHEDULER_ADDRESS=f"tcp://{NOBODY}", **ENCRYPTED)
