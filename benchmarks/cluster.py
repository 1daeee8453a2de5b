"""Memory, time and bytes of `kedro run --env cluster` by stage, for more data and for more workers.

unshare --net sh -c 'ip link set lo up && python benchmarks/cluster.py'
python benchmarks/cluster.py --on-paper --price 0.10

The first measures on simulated worlds of growing numbers of stores, in a network of its own, so
that all that goes over its loopback is what driver, scheduler and workers exchange (as root;
without `unshare` other traffic of the machine is counted, too). Weak scaling: two workers, each
with 1, 2 and 4 parts of two stores. Strong scaling: the same four parts on one worker and on two.
Each worker is one process with one thread. The second prints what follows for larger data from
what was measured, for a price per worker-hour; see `cluster_on_paper.py`.
"""

import argparse
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import yaml
from cluster_on_paper import TREES, describe_paper
from common import GIB, PROJECT, RESULTS, describe_commit, load_parameters, write_result
from distributed import Client
from speed import copy_project

FIGURES = RESULTS / "cluster.json"
_STAGE = re.compile(r"\d+/\d+ (\w+): ([\d.]+) s")
_BIN = PROJECT / ".venv/bin"
_STORES_PER_PART, _ITEMS, _START = 2, 500, "2015-06-01"
_PARAMS = (
    "training.max_training_rows=60000,training.backtest_folds=2,training.backtest_fits=1,"
    f"model_settings.lightgbm.n_estimators={TREES},gate.max_nwrmsle=0.95,gate.max_slice_loss=1"
)
_TRANSFERS = ("transfer", "deserialize", "disk-read", "disk-write")


@dataclass
class Stage:
    """What one node took.

    Attributes:
        seconds: Time until the next one began.
        peak: Memory of the worker with most of it, in GiB, resident and mapped files included.
        driver_peak: The driver's memory, in GiB.
        megabytes: What went over the network.
        compute: Seconds of tasks, added up over workers.
        transfer: Seconds of tasks that waited for what they need, added up over workers.
    """

    seconds: float = 0.0
    peak: float = 0.0
    driver_peak: float = 0.0
    megabytes: float = 0.0
    compute: float = 0.0
    transfer: float = 0.0


@dataclass
class Run:
    """One run: what it ran on, and its stages by name."""

    workers: int
    parts: int
    commit: str
    rows: int = 0
    cells: int = 0
    seconds: float = 0.0
    idle_peak: float = 0.0
    worker_cpu: float = 0.0
    stages: dict[str, Stage] = field(default_factory=dict)


def find_port() -> int:
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


def start(stack: ExitStack, folder: Path, *words: str) -> subprocess.Popen:
    """Start one of Dask's programs; it ends with the stack."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "DASK_LOGGING__DISTRIBUTED": "warning"}
    process = subprocess.Popen([_BIN / "dask", *words], cwd=folder, env=environment)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    return process


def read_memory(pid: int) -> float:
    """Return what a process holds now, in GiB; nothing once it has ended."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (FileNotFoundError, IndexError, ProcessLookupError):
        return 0.0
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / GIB


def read_cpu(pid: int) -> float:
    """Return the seconds of processor that a process has had."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def read_loopback() -> float:
    """Return the megabytes that went over the loopback so far."""
    (line,) = [x for x in Path("/proc/net/dev").read_text().splitlines() if x.strip()[:3] == "lo:"]
    return int(line.split()[1]) / 1e6


class Watch:
    """Looks at memory ten times a second, and keeps the highest since it was last asked."""

    def __init__(self, workers: list[int], driver: int) -> None:
        self._workers, self._driver, self._highest = workers, driver, (0.0, 0.0)
        self._ended = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while not self._ended.wait(0.1):
            now = max(map(read_memory, self._workers)), read_memory(self._driver)
            self._highest = tuple(map(max, self._highest, now))

    def take(self) -> tuple[float, float]:
        """Return the highest of any worker and of the driver, and begin anew."""
        highest, self._highest = self._highest, (0.0, 0.0)
        return highest

    def end(self) -> None:
        """Look no more."""
        self._ended.set()


def measure(project: Path, workers: int, parts: int) -> Run:
    """Run the loop on workers that are started for it."""
    path = project / "conf/cluster/globals.yml"
    values = yaml.safe_load(path.read_text()) | {"parts": parts}
    path.write_text(yaml.safe_dump(values))
    run = Run(workers, parts, describe_commit())
    with ExitStack() as stack:
        address = f"tcp://127.0.0.1:{(port := find_port())}"
        start(stack, project, "scheduler", "--host=127.0.0.1", f"--port={port}", "--no-dashboard")
        client = stack.enter_context(Client(address, timeout=120))
        own = [
            start(stack, project, "worker", address, "--host=127.0.0.1", "--no-nanny",
                  "--nthreads=1", "--no-dashboard", f"--local-directory={project / 'scratch'}")
            for _ in range(workers)
        ]  # fmt: skip
        client.wait_for_workers(workers, timeout=120)
        client.get_task_stream()
        pids = [process.pid for process in own]
        run.idle_peak = max(map(read_memory, pids))
        before = sum(map(read_cpu, pids))
        bounds = _follow(project, address, pids, run)
        run.worker_cpu = sum(map(read_cpu, pids)) - before
        _add_tasks(run, client.get_task_stream(), bounds)
    return run


def _follow(project: Path, address: str, pids: list[int], run: Run) -> dict[str, tuple]:
    """Start the driver and follow its stages; return when each began and ended."""
    command = [_BIN / "kedro", "run", "--env", "cluster", "--params", _PARAMS]
    begun = time.time()
    driver = subprocess.Popen(
        command, cwd=project, env=os.environ | {"DASK_SCHEDULER_ADDRESS": address},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    watch, sent, tail, bounds = Watch(pids, driver.pid), read_loopback(), [], {}
    for line in driver.stdout or ():
        tail = [*tail[-20:], line]
        if rows := re.search(r"Read ([\d,]+) simulated rows", line):
            run.rows = int(rows[1].replace(",", ""))
        if found := _STAGE.search(line):
            now, total = time.time(), read_loopback()
            peaks = watch.take()
            run.stages[found[1]] = Stage(float(found[2]), *peaks, total - sent)
            bounds[found[1]] = (now - float(found[2]), now)
            sent = total
            print(f"  {found[1]}: {found[2]} s, {peaks[0]:.2f} GiB", flush=True)
    watch.end()
    if driver.wait():
        raise SystemExit("".join(tail))
    run.seconds = time.time() - begun
    return bounds


def _add_tasks(run: Run, tasks: list[dict], bounds: dict[str, tuple]) -> None:
    """Add the seconds of tasks to the stages within which they ended."""
    spans = [span for task in tasks for span in task["startstops"]]
    for name, (first, last) in bounds.items():
        seconds: dict[str, float] = defaultdict(float)
        for span in spans:
            if first <= span["stop"] < last:
                seconds[span["action"]] += span["stop"] - span["start"]
        run.stages[name].compute = seconds["compute"]
        run.stages[name].transfer = sum(seconds[action] for action in _TRANSFERS)


def simulate(project: Path, stores: int) -> int:
    """Simulate a world of so many stores; return the number of days."""
    end = load_parameters()["simulation"]["end_date"]
    params = f"simulation.stores={stores},simulation.items={_ITEMS},simulation.start_date={_START}"
    subprocess.run(
        [_BIN / "kedro", "run", "--pipeline", "simulate", "--params", params],
        cwd=project, check=True, capture_output=True,
    )  # fmt: skip
    return (pd.Timestamp(str(end)) - pd.Timestamp(_START)).days + 1


def measure_all(only: list[str]) -> None:
    """Measure what is asked for, and keep it beside what was measured before."""
    kept = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    for name, workers, parts in (("1", 2, 2), ("2", 2, 4), ("4", 2, 8), ("one worker", 1, 4)):
        if name not in only:
            continue
        print(f"{parts} parts on {workers} workers", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            project = copy_project(Path(folder))
            days = simulate(project, parts * _STORES_PER_PART)
            run = measure(project, workers, parts)
            run.cells = parts * _STORES_PER_PART * _ITEMS * days
        kept[name] = asdict(run)
        FIGURES.write_text(json.dumps(kept, indent=1) + "\n")


def tabulate(kept: dict) -> dict[str, pd.DataFrame]:
    """Return the tables of the page."""
    weak = {name: kept[name] for name in ("1", "2", "4")}
    strong = {"1 worker": kept["one worker"], "2 workers": kept["2"]}
    return {
        "Weak scaling: parts for each of two workers": _overview(weak, "parts per worker"),
        "Strong scaling: four parts": _overview(strong, "on"),
        "Stages of the weak scaling": _by_stage(weak),
        "Stages of the strong scaling": _by_stage(strong),
    }


def _overview(runs: dict, heading: str) -> pd.DataFrame:
    return pd.DataFrame([{heading: name, **_sum_up(run)} for name, run in runs.items()])


def _sum_up(run: dict) -> dict[str, object]:
    stages = run["stages"].values()
    with_tasks = [stage for stage in stages if stage["compute"] > 0.05]
    capacity = run["workers"] * sum(stage["seconds"] for stage in with_tasks)
    compute, transfer = (sum(s[what] for s in with_tasks) for what in ("compute", "transfer"))
    return {
        "rows": run["rows"],
        "s": run["seconds"],
        "worker's peak, GiB": max(stage["peak"] for stage in stages),
        "of it idle, GiB": run["idle_peak"],
        "driver's peak, GiB": max(stage["driver_peak"] for stage in stages),
        "workers' processor, s": run["worker_cpu"],
        "MB exchanged": sum(stage["megabytes"] for stage in stages),
        "computing": f"{compute / capacity:.0%}",
        "transfer": f"{transfer / capacity:.1%}",
        "waiting": f"{max(1 - (compute + transfer) / capacity, 0):.0%}",
    }


def _by_stage(runs: dict) -> pd.DataFrame:
    """Return seconds, memory and megabytes of the stages in which workers had tasks."""
    names = [
        name
        for name in next(iter(runs.values()))["stages"]
        if any(run["stages"][name]["compute"] > 0.05 for run in runs.values())
    ]
    columns: dict[str, list] = {"stage": names}
    for unit, what in (("s", "seconds"), ("GiB", "peak"), ("MB", "megabytes")):
        for label, run in runs.items():
            columns[f"{label}: {unit}"] = [run["stages"][name][what] for name in names]
    return pd.DataFrame(columns)


_NOTES = [
    "Command: `unshare --net sh -c 'ip link set lo up && python benchmarks/cluster.py'`, then "
    "`python benchmarks/cluster.py --on-paper`. Simulated sales: each part is "
    f"{_STORES_PER_PART} stores × {_ITEMS} items since {_START}; the model is a small one "
    f"(`{_PARAMS}`). Driver, scheduler and workers share one machine, which has two cores and was "
    "used by others meanwhile: seconds say little, processor seconds, memory and bytes more. Dask "
    f"{version('distributed')}.",
    "A stage is a node; those without work for the workers are left out below. Memory is the "
    "highest of any worker while the stage ran, mapped files included. *Computing*, *transfer* "
    "and *waiting* are shares of workers × time in stages with tasks: time within tasks; for "
    "moving and unpacking what tasks need; and the rest, lost to scheduling, to parts of unequal "
    "size and to the driver's own work between tasks. Bytes are all that went over the loopback, "
    "from anyone to anyone.",
]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    every = ["1", "2", "4", "one worker"]
    parser.add_argument("--only", nargs="+", choices=every, default=every, help="of the runs")
    parser.add_argument("--on-paper", action="store_true", help="measure nothing; write the page")
    parser.add_argument("--price", type=float, default=0.10, help="of a worker-hour")
    options = parser.parse_args()
    if not options.on_paper:
        measure_all(options.only)
    kept = json.loads(FIGURES.read_text())
    if set(every) <= set(kept):
        notes, paper = describe_paper(kept, options.price)
        at = f"The runs were made at commit {', '.join({run['commit'] for run in kept.values()})}."
        notes = [*_NOTES, at, *notes]
        write_result("cluster", "Over several workers", notes, tabulate(kept) | paper)


if __name__ == "__main__":
    main()
