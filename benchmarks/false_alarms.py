"""How often monitoring raises an alarm while nothing is wrong: simulated quiet weeks, day by day.

Sales go on for two years after the sample as they always did. Each day arrives with its promotion
plan, the champion forecasts, and the checks that decide are made, as `kedro daily` does. A model is
trained every eight weeks, so that each season is watched by fresh and by older models.

    python benchmarks/false_alarms.py
    python benchmarks/false_alarms.py --weeks 8
"""

import argparse
import dataclasses
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from common import load_parameters, write_result

from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.forecaster import TrainedModel
from grocery_demand.core.monitoring import (
    data_health,
    fairness,
    live_error,
    outputs,
    sales_drift,
)
from grocery_demand.core.monitoring.advice import CHECK_FEED, RETRAIN, advise, check_age
from grocery_demand.core.monitoring.check import ALARM, Check
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.monitoring.promise import Promise
from grocery_demand.core.monitoring.sample import choose_series
from grocery_demand.core.monitoring.season import Season
from grocery_demand.core.panel import Panel
from grocery_demand.core.panel_extension import extend_panel
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.core.simulation.daily_files import DayOfSales, simulate_days
from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.simulation.tables import simulate_tables
from grocery_demand.core.training import fit_final_model, run_backtest
from grocery_demand.datasets import RawFolderDataset, RawTableDataset
from grocery_demand.pipelines.preprocessing import nodes

_WEEK = 7
_MODEL_WEEKS = 8
_VERSION = 1


def main() -> None:
    options = _parse()
    parameters = load_parameters()
    world = SimulationParameters(**parameters["simulation"] | {"seed": options.seed})
    last = world.last_day + timedelta(days=options.weeks * _WEEK)
    longer = dataclasses.replace(world, end_date=last.isoformat())
    with tempfile.TemporaryDirectory() as folder:
        tables = _read_tables(Path(folder), longer)
        panel = _make_panel(Path(folder), world)
    checks, advice = _watch(panel, tables, longer, parameters)
    found = pd.DataFrame(advice)
    weeks = found.assign(week=np.arange(len(found)) // _WEEK).groupby("week")
    false = weeks["advice"].agg(lambda a: (a != "keep").any())
    summary = pd.DataFrame(
        {
            "quiet weeks": [len(false)],
            "weeks with a false alarm": [int(false.sum())],
            "days with advice to retrain": [int((found["advice"] == RETRAIN).sum())],
            "days with advice to check the feed": [int((found["advice"] == CHECK_FEED).sum())],
            "mean of live error / bar": [float((found["nwrmsle"] / found["bar"]).mean())],
            "highest": [float((found["nwrmsle"] / found["bar"]).max())],
        }
    )
    notes = [
        f"Command: `python benchmarks/false_alarms.py --weeks {options.weeks} --seed "
        f"{options.seed}`. Simulated sales of 10 stores and 200 items go on as before after "
        f"{world.end_date}; a model is trained every {_MODEL_WEEKS} weeks. Every alarm is false.",
    ]
    by_check = _count_by_check(checks)
    write_result(
        "false_alarms",
        "False alarms in quiet weeks",
        notes,
        {"Advice": summary, "Checks": by_check},
    )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weeks", type=int, default=104)
    parser.add_argument("--seed", type=int, default=20150601)
    return parser.parse_args()


def _make_panel(folder: Path, world: SimulationParameters) -> Panel:
    from common import read_panel

    RawFolderDataset(filepath=str(folder / "first")).save(simulate_tables(world))
    return read_panel(folder / "first")


def _read_tables(folder: Path, world: SimulationParameters) -> tuple[pd.DataFrame, ...]:
    """Return items, stores and holidays of the longer world."""
    RawFolderDataset(filepath=str(folder / "longer")).save(simulate_tables(world))
    quality = QualityParameters(**load_parameters()["quality"])
    names = ("items", "stores", "holidays_events", "oil", "transactions", "train", "test")
    raw = {n: RawTableDataset(filepath=str(folder / "longer"), table=n).load() for n in names}
    reference = nodes.check_reference_tables(*(raw[name] for name in names[:5]), quality)
    sales = nodes.check_sales(raw["train"], reference, quality)
    plan = nodes.check_promotion_plan(raw["test"], reference, quality)
    _, _, items, stores, _, _, holidays = nodes.keep_good_rows(reference, sales, plan)
    return items, stores, holidays


def _train(panel: Panel, parameters: dict) -> TrainedModel:
    training = TrainingParameters(**parameters["training"])
    settings = parameters["model_settings"][training.model]
    backtest = run_backtest(panel, training, settings)
    return fit_final_model(panel, training, settings, backtest, {})


def _watch(
    panel: Panel, tables: tuple[pd.DataFrame, ...], world: SimulationParameters, parameters: dict
) -> tuple[list[tuple[str, Check]], list[dict]]:
    """Live through the days; return each day's checks, and its advice."""
    monitoring = MonitoringParameters(**parameters["monitoring"])
    first = date.fromisoformat(str(panel.cutoff)) + timedelta(days=1)
    found: list[tuple[str, Check]] = []
    advice: list[dict] = []
    archive: list[pl.DataFrame] = []
    model, begun = None, time.perf_counter()
    for number, arrived in enumerate(simulate_days(world, first)):
        if model is None or number % (_MODEL_WEEKS * _WEEK) == 0:
            model = _train(panel, parameters)
            archive = [_forecast(model, panel)]
            print(f"{panel.cutoff}: trained, {time.perf_counter() - begun:.0f} s", flush=True)
        panel = _extend(panel, arrived, tables)
        archive.append(_forecast(model, panel))
        del archive[: -monitoring.history_days - 16]
        checks, window = _check(panel, model, pl.concat(archive).lazy(), monitoring)
        decided = advise(checks, panel.n_days, monitoring)
        advice.append({"date": str(panel.cutoff), "advice": decided.decision} | window)
        found += [(str(panel.cutoff), check) for check in checks]
        if decided.decision != "keep":
            print(f"{panel.cutoff}: {decided.decision}: {decided.reasons}", flush=True)
    return found, advice


def _forecast(model: TrainedModel, panel: Panel) -> pl.DataFrame:
    table = model.forecast(panel, panel.n_days - 1, np.arange(1, model.horizon + 1))
    return pl.from_pandas(table).with_columns(
        pl.col("date").cast(pl.Date),
        model_version=pl.lit(_VERSION),
        cutoff=pl.lit(panel.cutoff.astype(object)),
    )


def _extend(panel: Panel, arrived: DayOfSales, tables: tuple[pd.DataFrame, ...]) -> Panel:
    sales = arrived.train.with_columns(onpromotion=pl.col("onpromotion") == "True")
    plan = arrived.test.with_columns(onpromotion=pl.col("onpromotion") == "True")
    planned = plan.to_pandas().astype({"onpromotion": "boolean"})
    return extend_panel(panel, sales, planned, *tables, sales.lazy())


def _check(
    panel: Panel, model: TrainedModel, archive: pl.LazyFrame, monitoring: MonitoringParameters
) -> tuple[list[Check], dict]:
    cutoff = model.metadata["cutoff"]
    promise = Promise.of_metadata(model.metadata)
    rows = choose_series(panel, monitoring.max_series)
    live = live_error.join_sales(archive, panel, _VERSION, cutoff, monitoring.history_days)
    windows = live_error.score_windows(live, promise, Season.of(panel, rows), monitoring)
    drift = sales_drift.measure_sales_drift(panel, rows, cutoff, monitoring.max_psi)
    newest = archive.filter(pl.col("cutoff") == pl.col("cutoff").max()).collect().to_pandas()
    checks = [
        *data_health.check_data_health(panel, None),
        *live_error.check_live_error(windows, promise, _VERSION),
        *sales_drift.check_sales_drift(drift),
        *outputs.check_outputs(panel, rows, newest, promise, monitoring.max_psi),
        *fairness.check_fairness(fairness.measure_fairness(live, promise, monitoring)),
        check_age(panel.n_days - 1 - panel.day_of(cutoff), monitoring),
    ]
    last = windows.row(-1, named=True) if len(windows) else {}
    return checks, {name: last.get(name, float("nan")) for name in ("nwrmsle", "bar")}


def _count_by_check(checks: list[tuple[str, Check]]) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "area": [check.area for _, check in checks],
            "check": [check.name for _, check in checks],
            "state": [check.state for _, check in checks],
        }
    )
    counts = table.groupby(["area", "check", "state"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=["ok", "watch", ALARM, "unknown"], fill_value=0)
    return counts.rename(columns=lambda state: f"days {state}").reset_index()


if __name__ == "__main__":
    main()
