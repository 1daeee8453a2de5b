"""Time and peak memory of every stage of the whole loop and of the daily job, as users run them.

python benchmarks/speed.py --raw-dirs data/01_raw/sample
python benchmarks/speed.py --raw-dirs data/01_raw/sample TEN_MILLION FULL_SIZE --name simulated

Each folder is run in a copy of the project of its own: `kedro run`, then `kedro daily` with one
more day (the last one again, dated a day later), after forecasts of six weeks were archived (the
same ones, dated earlier) and the web app was asked 2,000 questions. Memory is what the process
holds (resident, mapped files included), asked for ten times a second.
"""

import argparse
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
import polars as pl
from common import GIB, PROJECT, load_parameters, name_folder, write_result

from grocery_demand.core.backtest import (
    TrainingParameters,
    choose_backtest_rows,
    count_fits,
    plan_cutoffs,
)
from grocery_demand.core.features import FEATURE_SETS, Encoding, Snapshot
from grocery_demand.core.models.fit_plan import FitPlan, dataset_params
from grocery_demand.core.panel import Panel
from grocery_demand.core.training import assemble_rows
from grocery_demand.datasets import PanelDataset
from grocery_demand.datasets.raw_files import SUFFIXES
from grocery_demand.rehearsal.web_app import run_web_app

_STAGE = re.compile(r"\d+/\d+ (\w+): ([\d.]+) s")
_PROGRAM = PROJECT / ".venv/bin/kedro"
_COPIED = ("conf", "pyproject.toml", "src")
_BLOCK = 2**24
_ARCHIVED_DAYS, _QUESTIONS = 42, 2000
_PARTS_OF_MATRIX = 16


@dataclass
class Measured:
    """One run: its wall time in s, and seconds and peak GiB by stage."""

    seconds: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, float] = field(default_factory=dict)


@dataclass
class Limit:
    """What no program can undercut, in s, and the stages in which it has to be done."""

    what: str
    seconds: float
    stages: tuple[str, ...] = ()


def run_and_measure(project: Path, arguments: list[str]) -> Measured:
    """Run Kedro in a project and watch its log and memory."""
    measured = Measured()
    start = time.perf_counter()
    command = [str(_PROGRAM), *arguments]
    process = subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    highest = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, highest), daemon=True)
    watcher.start()
    tail: list[str] = []
    for line in process.stdout or ():
        tail = [*tail[-20:], line]
        found = _STAGE.search(line)
        if found:
            measured.stages[found[1]] = float(found[2])
            measured.peaks[found[1]] = max(highest[0], _read_memory(process))
            highest[0] = 0.0
            print(f"  {found[1]}: {found[2]} s, {measured.peaks[found[1]]:.2f} GiB", flush=True)
    if process.wait():
        raise SystemExit("".join(tail))
    measured.seconds = time.perf_counter() - start
    return measured


def _watch(process: subprocess.Popen, highest: list[float]) -> None:
    while process.poll() is None:
        highest[0] = max(highest[0], _read_memory(process))
        time.sleep(0.1)


def _read_memory(process: subprocess.Popen) -> float:
    """Return what the process holds now, in GiB; nothing once it has ended."""
    try:
        pages = Path(f"/proc/{process.pid}/statm").read_text().split()[1]
    except (FileNotFoundError, IndexError, ProcessLookupError):
        return 0.0
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / GIB


def copy_project(folder: Path) -> Path:
    project = folder / "project"
    project.mkdir()
    for name in _COPIED:
        source = PROJECT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, project / name)
    return project


def write_next_day(panel: Panel, raw_dir: Path, folder: Path) -> int:
    """Write the last day's rows again, dated a day later; return how many they are."""
    path = next(raw_dir / f"train{s}" for s in SUFFIXES if (raw_dir / f"train{s}").is_file())
    last = date.fromisoformat(str(panel.cutoff))
    rows = (
        pl.scan_csv(path, infer_schema=False)
        .filter(pl.col("date") == str(last))
        .with_columns(pl.lit(str(last + timedelta(1))).alias("date"))
        .collect(engine="streaming")
    )
    folder.mkdir(parents=True, exist_ok=True)
    rows.write_csv(folder / f"train-{last + timedelta(1)}.csv")
    return rows.height


def fill_archive(project: Path) -> None:
    """Archive the present forecasts as those of each day of the six weeks before."""
    newest = next((project / "data/07_model_output/forecast_archive").glob("*.parquet"))
    table, (cutoff, version) = pl.read_parquet(newest), newest.stem.rsplit("-", 1)
    for days in range(1, _ARCHIVED_DAYS):
        earlier = pl.col("cutoff", "date").dt.offset_by(f"-{days}d")
        day = date.fromisoformat(cutoff) - timedelta(days)
        table.with_columns(earlier).write_parquet(newest.with_name(f"{day}-{version}.parquet"))


def ask_web_app(project: Path) -> None:
    """Let the web app log events, as monitoring reads them."""
    forecasts = pd.read_parquet(project / "data/07_model_output/forecasts.parquet")
    with run_web_app(project) as app:
        app.ask(forecasts.sample(_QUESTIONS * 5, random_state=1), _QUESTIONS, seed=1)


def measure_limits(panel: Panel, raw_dir: Path) -> list[Limit]:
    """Return what no program can undercut, in seconds: reading, copying, LightGBM's own work.

    And, without a stage to be held against, how long features take here.
    """
    parameters = load_parameters()
    training = TrainingParameters(**parameters["training"])
    settings = dict(parameters["model_settings"]["lightgbm"])
    files = [path for path in raw_dir.iterdir() if path.is_file()]
    for path in files:
        _drop_from_memory(path)
    start = time.perf_counter()
    for path in files:
        with path.open("rb", buffering=0) as file:
            while file.read(_BLOCK):
                pass
    reading = time.perf_counter() - start
    units = np.array(panel.units)
    target = np.ones_like(units)
    start = time.perf_counter()
    np.copyto(target, units)
    copying = time.perf_counter() - start
    del units, target
    encoding = Encoding.fit(panel.series)
    days = [panel.n_days - 1 - 7 * i for i in range(1, 9)]
    start = time.perf_counter()
    for day in days:
        known = Snapshot(panel, day)
        _ = known.series_stats, known.weekday_stats
    summaries = time.perf_counter() - start
    names, steps = FEATURE_SETS["full"], np.arange(1, training.horizon + 1)
    start = time.perf_counter()
    for rows in np.array_split(np.arange(len(panel.series)), _PARTS_OF_MATRIX):
        known.features(encoding, steps, names, rows)
    whole_matrix = time.perf_counter() - start
    matrix, target, weight = assemble_rows(panel, panel.n_days - 1, training, names, encoding)
    plan = FitPlan.of(settings, len(target))
    data = lgb.Dataset(matrix, target, weight=weight, params=dataset_params(plan.params))
    start = time.perf_counter()
    fit = {"verbose": -1, "force_col_wise": True} | plan.params
    booster = lgb.train(fit, data, num_boost_round=plan.n_trees)
    fitting = plan.n_boosters * (time.perf_counter() - start)
    start = time.perf_counter()
    booster.predict(matrix)
    horizon = training.horizon * len(panel.series)
    a_row = plan.n_boosters * (time.perf_counter() - start) / len(matrix)
    predicting = a_row * horizon
    n_fits, n_backtest = _count_backtest(panel, training)
    backtest = n_fits * fitting + n_backtest * a_row
    return [
        Limit("reading the raw files' bytes", reading, ("check_sales",)),
        Limit("copying the units in memory", copying, ("make_panel", "take_in_arrivals")),
        Limit("statistics of all series at 8 cutoffs", summaries),
        Limit(f"features of {horizon:,} rows from the statistics of a cutoff", whole_matrix),
        Limit(f"one LightGBM fit, {len(target):,} rows", fitting, ("fit_challenger",)),
        Limit(f"LightGBM's forecasts of {horizon:,} rows", predicting, ("forecast_series",)),
        Limit(
            f"LightGBM's part of the backtest: {n_fits} fits, forecasts of {n_backtest:,} rows",
            backtest,
            ("backtest_model",),
        ),
    ]


def _count_backtest(panel: Panel, training: TrainingParameters) -> tuple[int, int]:
    """Return how many models are fitted and rows forecast for folds and holdout."""
    cutoffs = plan_cutoffs(panel, training)
    n_folds = len(cutoffs.folds)
    of_folds = [choose_backtest_rows(panel, day, n_folds, training) for day in cutoffs.folds]
    rows = [*of_folds, choose_backtest_rows(panel, cutoffs.holdout, 1, training)]
    return count_fits(n_folds, training) + 1, training.horizon * sum(map(len, rows))


def _drop_from_memory(path: Path) -> None:
    """Ask the system to forget what it holds of a file, so that it is read from the disk."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def find_limit(stage: str, limits: list[Limit]) -> float:
    """Return what no program can undercut in a stage, in s; NaN where nothing was measured."""
    return next((limit.seconds for limit in limits if stage in limit.stages), float("nan"))


def measure(raw_dir: Path) -> tuple[dict[str, object], Measured, Measured, list[Limit]]:
    """Run the loop and the daily job on one folder."""
    with tempfile.TemporaryDirectory(dir=PROJECT.parent) as folder:
        project = copy_project(Path(folder))
        print(f"{raw_dir.name}: kedro run", flush=True)
        loop = run_and_measure(project, ["run", "--params", f"raw_dir={raw_dir.resolve()}"])
        panel = PanelDataset(filepath=str(project / "data/03_primary/panel")).load()
        limits = measure_limits(panel, raw_dir)
        n_new = write_next_day(panel, raw_dir, project / "data/01_raw/incoming")
        fill_archive(project)
        ask_web_app(project)
        print(f"{raw_dir.name}: kedro daily", flush=True)
        update = run_and_measure(project, ["daily"])
        sales = pl.scan_parquet(project / "data/02_intermediate/sales/history.parquet")
        facts = {
            "data": raw_dir.name,
            "rows": sales.select(pl.len()).collect().item(),
            "series": len(panel.series),
            "days": panel.n_days,
            "rows of the new day": n_new,
        }
    return facts, loop, update, limits


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--raw-dirs", type=Path, nargs="+", required=True)
    parser.add_argument("--name", help="of the result; the last folder's by default")
    options = parser.parse_args()
    found = [measure(raw_dir) for raw_dir in options.raw_dirs]
    overview = pd.DataFrame(
        [
            facts
            | {
                "whole loop, s": loop.seconds,
                "s per million rows": loop.seconds / (facts["rows"] / 1e6),
                "peak, GiB": max(loop.peaks.values()),
                "daily job, s": update.seconds,
                "its peak, GiB": max(update.peaks.values()),
            }
            for facts, loop, update, _ in found
        ]
    )
    facts, loop, update, limits = found[-1]
    stages = pd.DataFrame(
        [
            {
                "stage": name,
                "s": s,
                "limit, s": find_limit(name, limits),
                "share": f"{s / loop.seconds:.1%}",
                "GiB": loop.peaks[name],
            }
            for name, s in loop.stages.items()
        ]
    )
    of_update = pd.DataFrame(
        [
            {
                "stage": name,
                "s": s,
                "limit, s": find_limit(name, limits),
                "GiB": update.peaks[name],
            }
            for name, s in update.stages.items()
        ]
    )
    by_size = pd.DataFrame(
        {"stage": list(loop.stages)}
        | {
            f"{facts['rows'] / 1e6:.3g} M rows, s": [part.stages[n] for n in loop.stages]
            for facts, part, _, _ in found
        }
    )
    named = f" --name {options.name}" if options.name else ""
    notes = [
        f"Command: `python benchmarks/speed.py --raw-dirs "
        f"{' '.join(map(name_folder, options.raw_dirs))}{named}`. Simulated sales. Stages below "
        f"are those of {facts['data']}; memory is the process's peak while the stage ran, with "
        "what earlier stages left. The whole loop's time has starting, loading and saving in it.",
        "Limit: what no program can undercut there, measured in the same run: reading the raw "
        "files' bytes from the disk, copying the units in memory once, LightGBM's own time for "
        "one fit, one forecast of all series, or all fits and forecasts of the backtest.",
    ]
    tables = {
        "By size": overview,
        "Stages of the whole loop": stages,
        "Stages of the daily job": of_update,
        "Beside them, in the same run": pd.DataFrame(
            [{"what": limit.what, "s": limit.seconds} for limit in limits]
        ),
        "Stages by size": by_size,
    }
    write_result(f"speed_{options.name or facts['data']}", "Speed and memory", notes, tables)


if __name__ == "__main__":
    main()
