"""Some weeks of simulated days, lived through as `kedro daily` does: forecasts, sales, checks."""

import dataclasses
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from common import load_parameters, read_panel

from grocery_demand.core.backtest import TrainingParameters
from grocery_demand.core.features import Snapshot
from grocery_demand.core.late_days import saw_other_sales
from grocery_demand.core.monitoring import (
    data_health,
    explanations,
    fairness,
    feature_skew,
    live_error,
    outputs,
    sales_drift,
    skew_checks,
)
from grocery_demand.core.monitoring.advice import RETRAIN, advise, check_age
from grocery_demand.core.monitoring.check import Check, list_wrong_days
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.monitoring.promise import Promise
from grocery_demand.core.monitoring.sample import choose_series
from grocery_demand.core.monitoring.season import Season
from grocery_demand.core.monitoring.served_features import ServedFeatures
from grocery_demand.core.panel import Panel
from grocery_demand.core.panel_extension import extend_panel
from grocery_demand.core.quality.parameters import QualityParameters
from grocery_demand.core.simulation.daily_files import DayOfSales, simulate_days
from grocery_demand.core.simulation.parameters import SimulationParameters
from grocery_demand.core.simulation.tables import simulate_tables
from grocery_demand.core.trained_model import TrainedModel
from grocery_demand.core.training import fit_final_model, run_backtest
from grocery_demand.datasets import RawFolderDataset, RawTableDataset
from grocery_demand.pipelines.preprocessing import nodes

ADVICE = "advice"
WEEK = 7
_VERSION = 1
_QUESTIONS = 100
_WARM_UP = 16


@dataclasses.dataclass(frozen=True)
class Period:
    """Some weeks after a training.

    Attributes:
        world: The simulation; it may hold a scenario.
        trained: The last day that the model learns from.
        n_days: Days lived through after it.
        until_retrain: Whether the advice to retrain ends it, given after the scenario's start.
    """

    world: SimulationParameters
    trained: date
    n_days: int
    until_retrain: bool = False


def live_through(period: Period) -> pd.DataFrame:
    """Return one row per day and check: date, area, check, state, value, threshold, detail.

    The advice is a row, too, of the area `ADVICE`: its state is the decision, value and threshold
    are the live error of the newest window and its bar. Skew and explanations are looked at on
    the last day of each week; what buyers ask is drawn by chance, `_QUESTIONS` a day.
    """
    parameters = load_parameters()
    monitoring = MonitoringParameters(**parameters["monitoring"])
    last = period.trained + timedelta(days=period.n_days)
    world = dataclasses.replace(period.world, end_date=last.isoformat())
    tables = _read_tables(dataclasses.replace(world, scenario="none", scenario_start=""))
    panel = _make_panel(world, period.trained)
    model = _train(panel, parameters)
    served = _Buyers(model)
    archive = [_forecast(model, panel)]
    rows: list[tuple[object, ...]] = []
    for number, arrived in enumerate(simulate_days(world, period.trained + timedelta(days=1))):
        served.ask(panel)
        former, panel = panel.cutoff, _extend(panel, arrived, tables)
        # A day on which all are closed brings nothing: its forecast takes the former's place.
        archive = archive if panel.cutoff > former else archive[:-1]
        archive = [*archive, _forecast(model, panel)][-monitoring.history_days - _WARM_UP :]
        checks, scores = _check(panel, model, pl.concat(archive).lazy(), monitoring)
        if number % WEEK == WEEK - 1:
            checks += _check_weekly(panel, model, served, monitoring)
        age = panel.n_days - 1 - panel.day_of(model.metadata["cutoff"])
        decision = advise(checks, age, monitoring).decision
        day = str(panel.cutoff)
        rows += [(day, c.area, c.name, c.state, c.value, c.threshold, c.detail) for c in checks]
        rows.append((day, ADVICE, ADVICE, decision, *scores, ""))
        if period.until_retrain and decision == RETRAIN and day >= world.scenario_start:
            break
    columns = ["date", "area", "check", "state", "value", "threshold", "detail"]
    return pd.DataFrame(rows, columns=columns)


class _Buyers:
    """Questions of a day's buyers, with the features that the model was given."""

    def __init__(self, model: TrainedModel) -> None:
        self._final, self._horizon = model.final, model.horizon
        self._asked: list[tuple[np.ndarray, ...]] = []
        self._source = np.random.default_rng(0)

    def ask(self, panel: Panel) -> None:
        day = panel.n_days - 1
        begun = np.flatnonzero(panel.series["first_sale"].to_numpy() < day)
        rows = self._source.choice(begun, _QUESTIONS)
        steps = self._source.integers(1, self._horizon + 1, _QUESTIONS)
        names, planned = self._final.feature_names, np.full((_QUESTIONS, 1), -1, np.int8)
        snapshot = Snapshot(panel, day)
        made = snapshot.features(self._final.encoding, steps[:, None], names, rows, planned)
        keys = panel.series.iloc[rows][["store_nbr", "item_nbr"]].to_numpy()
        self._asked.append((made, keys, steps, np.full(_QUESTIONS, day)))

    def recall(self, panel: Panel) -> ServedFeatures:
        matrix, keys, steps, days = (
            np.concatenate(parts) for parts in zip(*self._asked[-4 * WEEK :], strict=True)
        )
        index = pd.MultiIndex.from_frame(panel.series[["store_nbr", "item_nbr"]])
        rows = index.get_indexer(pd.MultiIndex.from_arrays(keys.T))
        return ServedFeatures(
            self._final.feature_names, matrix, rows, steps, days,
            np.full(len(days), -1, np.int8), self._final.encoding, saw_other_sales(panel, days),
        )  # fmt: skip


def _make_panel(world: SimulationParameters, last: date) -> Panel:
    quiet = dataclasses.replace(world, end_date=str(last), scenario="none", scenario_start="")
    with tempfile.TemporaryDirectory() as folder:
        RawFolderDataset(filepath=f"{folder}/raw").save(simulate_tables(quiet))
        return read_panel(Path(folder) / "raw")


@lru_cache(maxsize=1)
def _read_tables(world: SimulationParameters) -> tuple[pd.DataFrame, ...]:
    """Return items, stores and holidays of a world."""
    quality = QualityParameters(**load_parameters()["quality"])
    names = ("items", "stores", "holidays_events", "oil", "transactions", "train", "test")
    with tempfile.TemporaryDirectory() as folder:
        RawFolderDataset(filepath=f"{folder}/raw").save(simulate_tables(world))
        raw = {n: RawTableDataset(filepath=f"{folder}/raw", table=n).load() for n in names}
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
) -> tuple[list[Check], tuple[float, float]]:
    """Return the checks of each day; and the newest live error and its bar, NaN if unknown."""
    cutoff = model.metadata["cutoff"]
    promise = Promise.of_metadata(model.metadata)
    rows = choose_series(panel, monitoring.max_series)
    n_new = min(panel.n_days - 1 - panel.day_of(cutoff), monitoring.history_days)
    health = data_health.check_data_health(panel, None, n_new)
    wrong = [day for day in list_wrong_days(health) if day > cutoff]
    live = live_error.join_sales(archive, panel, _VERSION, cutoff, monitoring.history_days, wrong)
    windows = live_error.score_windows(live, promise, Season.of(panel, rows), monitoring)
    drift = sales_drift.measure_sales_drift(panel, rows, cutoff, monitoring.max_psi, wrong)
    newest = archive.filter(pl.col("cutoff") == pl.col("cutoff").max()).collect().to_pandas()
    checks = [
        *health,
        *live_error.check_live_error(windows, promise, _VERSION, wrong),
        *sales_drift.check_sales_drift(drift, wrong),
        *outputs.check_outputs(panel, rows, newest, promise, monitoring.max_psi, wrong),
        *fairness.check_fairness(fairness.measure_fairness(live, promise, monitoring)),
        check_age(panel.n_days - 1 - panel.day_of(cutoff), monitoring),
    ]
    newest_window = windows.row(-1, named=True) if len(windows) else {}
    scores = [float(newest_window.get(name, np.nan)) for name in ("nwrmsle", "bar")]
    return checks, (scores[0], scores[1])


def _check_weekly(
    panel: Panel, model: TrainedModel, served: _Buyers, monitoring: MonitoringParameters
) -> list[Check]:
    """Return the checks that rest on questions and on explanations."""
    trained = panel.day_of(model.metadata["cutoff"])
    snapshot_of = lru_cache(maxsize=2)(lambda day: Snapshot(panel, day))
    recalled = served.recall(panel)
    skew = feature_skew.measure_skew(recalled, snapshot_of, trained, monitoring.max_psi)
    rows = choose_series(panel, monitoring.max_series)
    weeks = explanations.explain_weeks(model.final, snapshot_of, rows, trained, panel.n_days - 1)
    return [
        *skew_checks.check_skew(skew, int(recalled.changed.sum())),
        *explanations.check_explanations(weeks),
    ]


def split(first: date, n_weeks: int, weeks_each: int) -> Iterator[tuple[date, int]]:
    """Divide weeks into parts; yield the day before each part and its days."""
    for week in range(0, n_weeks, weeks_each):
        yield first + timedelta(days=week * WEEK), min(weeks_each, n_weeks - week) * WEEK
