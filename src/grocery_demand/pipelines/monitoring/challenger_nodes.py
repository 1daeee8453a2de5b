"""Node of the monitoring pipeline that looks at the challenger that is served."""

from dataclasses import asdict
from typing import Any

import pandas as pd
import polars as pl

from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.monitoring import challenger as measured
from grocery_demand.core.monitoring.challenger_checks import check_challenger
from grocery_demand.core.monitoring.check import Check
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.monitoring.served import ServedEvents
from grocery_demand.core.rollout import ServedChallenger


def compare_challenger(
    live_forecasts: pl.DataFrame,
    forecast_archive: pl.LazyFrame,
    events: ServedEvents,
    champion: ModelVersion,
    served_challenger: ServedChallenger | None,
    parameters: MonitoringParameters,
) -> tuple[pd.DataFrame, dict[str, Any], list[Check]]:
    """Compare the challenger that is served with the champion.

    Returns:
        One row per measure (measure, champion, challenger); the comparison for the summary; the
        checks. All of them are empty if none is served.
    """
    if served_challenger is None:
        return pd.DataFrame(columns=["measure", "champion", "challenger"]), {}, []
    rollout = served_challenger.rollout
    versions = {"champion": champion.number, "challenger": rollout.model_version}
    pairs = measured.pair_forecasts(live_forecasts, forecast_archive, served_challenger)
    live = measured.compare_live(pairs, parameters.confidence)
    differences = measured.measure_differences(forecast_archive, events.pairs, versions)
    measures = measured.tabulate_measures(pairs, differences, events.roles, versions)
    checks = check_challenger(live, measures, events.misses, rollout)
    comparison = asdict(rollout) | {"live": live.to_dict(), "differences": differences}
    return measures, comparison, checks
