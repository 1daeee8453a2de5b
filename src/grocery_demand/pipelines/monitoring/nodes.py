"""Nodes of the monitoring pipeline that measure and check."""

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pandas as pd
import polars as pl

from grocery_demand.core.features import Snapshot
from grocery_demand.core.model_version import ModelVersion
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
from grocery_demand.core.monitoring.check import Check, list_wrong_days
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.monitoring.promise import Promise
from grocery_demand.core.monitoring.sample import SLICES, choose_series
from grocery_demand.core.monitoring.season import Season
from grocery_demand.core.monitoring.served import ServedEvents, check_usage
from grocery_demand.core.monitoring.served_features import ServedFeatures
from grocery_demand.core.monitoring.worst_slices import find_worst_slices, name_worst_slices
from grocery_demand.core.panel import Panel

logger = logging.getLogger(__name__)


def take_events(events: ServedEvents) -> ServedEvents:
    """Return what the event log holds now: it is read once, and all that follows sees the same."""
    return events


def compare_with_new_sales(
    forecast_archive: pl.LazyFrame,
    panel: Panel,
    champion: ModelVersion,
    wrong_days: list[str],
    parameters: MonitoringParameters,
) -> pl.DataFrame:
    """Put the sales of days that are not wrong beside the champion's stored forecasts of them."""
    live = live_error.join_sales(
        forecast_archive,
        panel,
        champion.number,
        cutoff_of(champion),
        parameters.history_days,
        wrong_days,
    )
    logger.info(
        "%s forecasts of version %d have met their sales, of the last %d days; wrong days: %s.",
        f"{live.height:,}", champion.number, parameters.history_days,
        ", ".join(wrong_days) or "none",
    )  # fmt: skip
    return live


def measure_live_error(
    live_forecasts: pl.DataFrame,
    panel: Panel,
    champion: ModelVersion,
    wrong_days: list[str],
    parameters: MonitoringParameters,
) -> tuple[pd.DataFrame, pd.DataFrame, list[Check]]:
    """Score the forecasts by window of days and by slice; hold them against the promise.

    Returns:
        See `core.monitoring.live_error`: the windows, the slices and the checks.
    """
    promise = Promise.of_metadata(champion.model.metadata)
    season = Season.of(panel, choose_series(panel, parameters.max_series))
    windows = live_error.score_windows(live_forecasts, promise, season, parameters)
    slices = live_error.score_live(live_forecasts, cutoff_of(champion), SLICES)
    checks = live_error.check_live_error(windows, promise, champion.number, wrong_days)
    newest = None if windows.is_empty() else windows.row(-1, named=True)
    if promise and newest and newest["nwrmsle"] > newest["raised"]:
        days, promised = parameters.window_days, newest["promised"]
        worst = find_worst_slices(live_forecasts, promise, days, promised)
        checks = name_worst_slices(checks, worst)
    return windows.to_pandas(), slices.to_pandas(), checks


def measure_drift(
    panel: Panel,
    champion: ModelVersion,
    wrong_days: list[str],
    parameters: MonitoringParameters,
) -> tuple[pd.DataFrame, list[Check]]:
    """Compare the columns of the sales since the training with those before."""
    rows = choose_series(panel, parameters.max_series)
    drift = sales_drift.measure_sales_drift(
        panel, rows, cutoff_of(champion), parameters.max_psi, wrong_days
    )
    return drift.to_pandas(), sales_drift.check_sales_drift(drift, wrong_days)


def measure_skew(
    events: ServedEvents, panel: Panel, champion: ModelVersion, parameters: MonitoringParameters
) -> tuple[pd.DataFrame, list[Check]]:
    """Compare the features that were served with those of training."""
    served = ServedFeatures.of(events.newest, panel, champion)
    if served is None:
        empty = pd.DataFrame(columns=list(feature_skew.FEATURE_SKEW_COLUMNS))
        return empty, skew_checks.check_skew(None)
    trained = _training_day(panel, champion)
    skew = feature_skew.measure_skew(served, _snapshots(panel), trained, parameters.max_psi)
    return skew.to_pandas(), skew_checks.check_skew(skew, int(served.changed.sum()))


def explain_forecasts(
    panel: Panel, champion: ModelVersion, parameters: MonitoringParameters
) -> tuple[pd.DataFrame, list[Check]]:
    """Sum up week by week which groups of features the forecasts rest on."""
    table = explanations.explain_weeks(
        champion.model.final,
        _snapshots(panel),
        choose_series(panel, parameters.max_series),
        _training_day(panel, champion),
        panel.n_days - 1,
    )
    return table.to_pandas(), explanations.check_explanations(table)


def measure_fairness(
    live_forecasts: pl.DataFrame, champion: ModelVersion, parameters: MonitoringParameters
) -> tuple[pd.DataFrame, list[Check]]:
    """Score slices of products and stores with their confidence intervals."""
    promise = Promise.of_metadata(champion.model.metadata)
    table = fairness.measure_fairness(live_forecasts, promise, parameters)
    return table.to_pandas(), fairness.check_fairness(table)


def measure_outputs(
    panel: Panel,
    forecasts: pd.DataFrame,
    champion: ModelVersion,
    wrong_days: list[str],
    parameters: MonitoringParameters,
) -> tuple[pd.DataFrame, list[Check]]:
    """Hold the newest forecasts against the last weeks' sales and the backtest's forecasts."""
    rows = choose_series(panel, parameters.max_series)
    promise = Promise.of_metadata(champion.model.metadata)
    checks = outputs.check_outputs(panel, rows, forecasts, promise, parameters.max_psi, wrong_days)
    return outputs.sum_by_day(panel, rows, forecasts), checks


def check_feed(
    panel: Panel,
    new_data_report: dict[str, Any] | None,
    champion: ModelVersion,
    parameters: MonitoringParameters,
) -> tuple[list[str], list[Check]]:
    """Check whether the sales that the champion has not learnt are whole.

    Nothing is trained on days that are wrong unless a person does so: those that the champion has
    learnt count as right as they are, like those that a person accepts.

    Returns:
        The dates of these whose sales are wrong, ISO; and the checks.
    """
    learnt = cutoff_of(champion)
    n_new = min(max(panel.n_days - 1 - panel.day_of(learnt), 0), parameters.history_days)
    checks = data_health.check_data_health(
        panel,
        new_data_report,
        n_new,
        parameters.max_updates_without_day,
        parameters.accepted_days,
    )
    checks = data_health.accept_days(checks, learnt, panel.late_days, parameters.accepted_days)
    later = [day for day in parameters.accepted_days if day > str(panel.cutoff)]
    if later:
        logger.warning(
            "monitoring.accepted_days names %s, after the last day of sales, %s: nothing will be "
            "said of these days when they come.", ", ".join(later), panel.cutoff,
        )  # fmt: skip
    return list_wrong_days(checks), checks


def count_usage(
    events: ServedEvents, parameters: MonitoringParameters
) -> tuple[pd.DataFrame, list[Check]]:
    """Count what the web app was asked, by day, product, store and client.

    Returns:
        One row per counted thing: kind (`date`, `item_nbr`, `store_nbr`, `client`), value,
        requests, long_range, refused and failed (these by day only).
    """
    tables = {"date": events.by_day, "item_nbr": events.products}
    tables |= {"store_nbr": events.stores, "client": events.clients}
    parts = [
        table.rename(columns={kind: "value"}).assign(kind=kind).astype({"value": str})
        for kind, table in tables.items()
    ]
    columns = ["kind", "value", "requests", "long_range", "refused", "failed"]
    usage = pd.concat(parts, ignore_index=True).reindex(columns=columns)
    return usage, check_usage(events, parameters)


def cutoff_of(champion: ModelVersion) -> str:
    """Return the last day of the sales that a model has learnt, ISO."""
    return str(champion.model.metadata["cutoff"])


def _training_day(panel: Panel, champion: ModelVersion) -> int:
    return min(panel.day_of(cutoff_of(champion)), panel.n_days - 1)


def _snapshots(panel: Panel) -> Callable[[int], Snapshot]:
    """Return what gives a day's snapshot; the last one is kept, as it is asked for repeatedly."""
    return lru_cache(maxsize=1)(lambda day: Snapshot(panel, day))
