"""Nodes of the monitoring pipeline."""

import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
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
from grocery_demand.core.monitoring.advice import (
    Advice,
    advise,
    check_age,
    date_advice,
    date_checks,
)
from grocery_demand.core.monitoring.check import Check, list_wrong_days
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.monitoring.promise import Promise
from grocery_demand.core.monitoring.sample import SLICES, choose_series
from grocery_demand.core.monitoring.season import Season
from grocery_demand.core.monitoring.served import ServedEvents, check_usage
from grocery_demand.core.monitoring.served_features import ServedFeatures
from grocery_demand.core.panel import Panel
from grocery_demand.pipelines.monitoring.summary import Findings, summarise

logger = logging.getLogger(__name__)


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
        _cutoff(champion),
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
    slices = live_error.score_live(live_forecasts, _cutoff(champion), SLICES)
    checks = live_error.check_live_error(windows, promise, champion.number, wrong_days)
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
        panel, rows, _cutoff(champion), parameters.max_psi, wrong_days
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
    parameters: MonitoringParameters,
) -> tuple[pd.DataFrame, list[Check]]:
    """Hold the newest forecasts against the last weeks' sales and the backtest's forecasts."""
    rows = choose_series(panel, parameters.max_series)
    promise = Promise.of_metadata(champion.model.metadata)
    checks = outputs.check_outputs(panel, rows, forecasts, promise, parameters.max_psi)
    return outputs.sum_by_day(panel, rows, forecasts), checks


def check_feed(
    panel: Panel,
    new_data_report: dict[str, Any] | None,
    champion: ModelVersion,
    parameters: MonitoringParameters,
) -> tuple[list[str], list[Check]]:
    """Check whether the sales since the champion's training are whole.

    Returns:
        The dates of these whose sales are wrong, ISO; and the checks.
    """
    n_new = min(panel.n_days - 1 - _training_day(panel, champion), parameters.history_days)
    checks = data_health.check_data_health(
        panel, new_data_report, n_new, parameters.max_updates_without_day
    )
    return [day for day in list_wrong_days(checks) if day > _cutoff(champion)], checks


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


def advise_retraining(  # noqa: PLR0913
    live_error_checks: list[Check],
    drift_checks: list[Check],
    skew_checks: list[Check],
    outputs_checks: list[Check],
    explanation_checks: list[Check],
    fairness_checks: list[Check],
    challenger_checks: list[Check],
    feed_checks: list[Check],
    usage_checks: list[Check],
    panel: Panel,
    champion: ModelVersion,
    newest_training: str | None,
    former_monitoring: dict[str, Any] | None,
    parameters: MonitoringParameters,
) -> tuple[pd.DataFrame, dict[str, Any], dict[str, float]]:
    """Decide by all checks whether to keep the model, to retrain, or to look after the feed.

    Returns:
        One row per check with the day since which it is in its state; the advice; and how many
        checks are in each state, as metrics of the run.
    """
    cutoff = str(panel.cutoff)
    age = check_age(panel.n_days - 1 - panel.day_of(_cutoff(champion)), parameters)
    checks = [
        *feed_checks, *live_error_checks, *drift_checks, *skew_checks, *outputs_checks,
        *explanation_checks, *fairness_checks, *challenger_checks, age, *usage_checks,
    ]  # fmt: skip
    since = max(panel.n_days - 1 - panel.day_of(newest_training or _cutoff(champion)), 0)
    former = _of_same_version(former_monitoring, champion)
    advice = advise(checks, since, parameters)
    advice = date_advice(advice, former.get("advice"), cutoff)
    _tell(advice)
    table = pd.DataFrame(date_checks(checks, former.get("checks", []), cutoff))
    described = advice.to_dict() | {"model_version": champion.number, "cutoff": cutoff}
    return table, described, _count_states(checks)


def summarise_monitoring(  # noqa: PLR0913
    monitoring_checks: pd.DataFrame,
    retraining_advice: dict[str, Any],
    live_windows: pd.DataFrame,
    live_scores: pd.DataFrame,
    sales_drift: pd.DataFrame,
    feature_skew: pd.DataFrame,
    output_totals: pd.DataFrame,
    explanation_shares: pd.DataFrame,
    slice_fairness: pd.DataFrame,
    challenger_measures: pd.DataFrame,
    challenger_comparison: dict[str, Any],
    events: ServedEvents,
    new_data_report: dict[str, Any] | None,
    panel: Panel,
    champion: ModelVersion,
) -> dict[str, Any]:
    """Put all findings into the one file that the web app's page reads."""
    findings = Findings(
        checks=monitoring_checks,
        advice=retraining_advice,
        live_windows=live_windows,
        live_scores=live_scores,
        drift=sales_drift,
        skew=feature_skew,
        outputs=output_totals,
        explanations=explanation_shares,
        fairness=slice_fairness,
        challenger_measures=challenger_measures,
        challenger_comparison=challenger_comparison,
        events=events,
        files=(new_data_report or {}).get("files", []),
    )
    return summarise(findings, panel, champion)


def _cutoff(champion: ModelVersion) -> str:
    return str(champion.model.metadata["cutoff"])


def _training_day(panel: Panel, champion: ModelVersion) -> int:
    return min(panel.day_of(_cutoff(champion)), panel.n_days - 1)


def _snapshots(panel: Panel) -> Callable[[int], Snapshot]:
    """Return what gives a day's snapshot; the last one is kept, as it is asked for repeatedly."""
    return lru_cache(maxsize=1)(lambda day: Snapshot(panel, day))


def _of_same_version(former: dict[str, Any] | None, champion: ModelVersion) -> dict[str, Any]:
    """Return the run before if it was about the same champion, else nothing."""
    if former is None or former.get("model_version") != champion.number:
        return {}
    return former


def _count_states(checks: list[Check]) -> dict[str, float]:
    states = pd.Series([check.state for check in checks])
    counts = {f"checks_{state}": float(n) for state, n in states.value_counts().items()}
    values = {"live_nwrmsle": ("live error", "error against the backtest")}
    found = {(c.area, c.name): c.value for c in checks}
    return counts | {
        name: float(value)
        for name, key in values.items()
        if (value := found.get(key)) is not None and np.isfinite(value)
    }


def _tell(advice: Advice) -> None:
    level = logging.INFO if advice.decision == "keep" else logging.WARNING
    logger.log(level, "Advice: %s. %s", advice.decision, " ".join(advice.reasons))
