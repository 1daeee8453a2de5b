"""Nodes of the monitoring pipeline that put all checks and tables together, and advise."""

import logging
import re
from typing import Any

import numpy as np
import pandas as pd

from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.monitoring.advice import (
    Advice,
    advise,
    check_age,
    date_advice,
    date_champion,
    date_checks,
)
from grocery_demand.core.monitoring.check import ERROR, STATES, Check
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.monitoring.served import ServedEvents
from grocery_demand.core.panel import Panel
from grocery_demand.pipelines.monitoring.nodes import cutoff_of
from grocery_demand.pipelines.monitoring.summary import Findings, summarise

logger = logging.getLogger(__name__)


def gather_checks(*checks: list[Check]) -> list[Check]:
    """Put the checks of all areas into one list, in the order in which they are shown."""
    return [check for each in checks for check in each]


def check_model_age(
    panel: Panel, champion: ModelVersion, parameters: MonitoringParameters
) -> list[Check]:
    """Check how many days of sales the champion has not seen."""
    return [check_age(panel.n_days - 1 - panel.day_of(cutoff_of(champion)), parameters)]


def advise_retraining(
    checks: list[Check],
    panel: Panel,
    champion: ModelVersion,
    newest_training: str | None,
    former_monitoring: dict[str, Any] | None,
    parameters: MonitoringParameters,
) -> tuple[pd.DataFrame, dict[str, Any], dict[str, float]]:
    """Decide by all checks whether to keep the model, to retrain, or to look after the feed.

    Returns:
        One row per check with the day since which it is in its state; the advice; and metrics
        of the run: how many checks are in each state, and the value of each.
    """
    cutoff = str(panel.cutoff)
    trained = newest_training or cutoff_of(champion)
    since = max(panel.n_days - 1 - panel.day_of(trained), 0)
    former = _of_same_version(former_monitoring, champion)
    advice = advise(checks, since, parameters)
    advice = date_advice(advice, former.get("advice"), cutoff)
    _tell(advice)
    table = pd.DataFrame(date_checks(checks, former.get("checks", []), cutoff))
    described = advice.to_dict() | {"model_version": champion.number, "cutoff": cutoff}
    described |= date_champion(former_monitoring, champion.number, cutoff)
    return table, described, _list_metrics(checks)


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


def _of_same_version(former: dict[str, Any] | None, champion: ModelVersion) -> dict[str, Any]:
    """Return the run before if it was about the same champion, else nothing."""
    if former is None or former.get("model_version") != champion.number:
        return {}
    return former


def name_metric(check: str) -> str:
    """Return a check's name as MLflow takes it for a metric."""
    return f"check/{re.sub('[^0-9A-Za-z]+', '_', check)}"


def _list_metrics(checks: list[Check]) -> dict[str, float]:
    """Return how many checks are in each state, the live error, and the value of each check."""
    found_states = [check.state for check in checks]
    counts = {f"checks_{state}": float(found_states.count(state)) for state in STATES}
    values = {
        name_metric(check.name): float(check.value)
        for check in checks
        if check.value is not None and np.isfinite(check.value)
    }
    error = name_metric(ERROR)
    live = {"live_nwrmsle": values[error]} if error in values else {}
    return counts | live | values


def _tell(advice: Advice) -> None:
    level = logging.INFO if advice.decision == "keep" else logging.WARNING
    logger.log(level, "Advice: %s. %s", advice.decision, " ".join(advice.reasons))
