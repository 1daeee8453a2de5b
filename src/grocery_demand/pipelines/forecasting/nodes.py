"""Nodes of the forecasting pipeline."""

import logging

import numpy as np
import pandas as pd

from grocery_demand.core.errors import GroceryDemandError
from grocery_demand.core.forecast_table import list_days
from grocery_demand.core.forecaster import FORECAST
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.monitoring.sample import choose_series
from grocery_demand.core.panel import SERIES_KEY
from grocery_demand.core.parameters import parameters, require
from grocery_demand.core.parts import PanelParts
from grocery_demand.core.rollout import ServedChallenger
from grocery_demand.core.table_parts import Table, ask_table, derive_table, join_tables

logger = logging.getLogger(__name__)

_COLUMNS = [*SERIES_KEY, "date", "step", "long_range", *FORECAST]
_STEP_KEY = [*SERIES_KEY, "step"]
_DECIMALS = 4


class StaleForecastError(GroceryDemandError):
    """The promotion plan names series that the forecasts do not have."""


@parameters("forecasting")
class ForecastingParameters:
    """How far to forecast.

    Attributes:
        horizon: Days ahead of the last sales day.

    Raises:
        ParameterError: When a value is not allowed.
    """

    horizon: int = 16

    def __post_init__(self) -> None:
        """Refuse values that make no sense."""
        allowed = "a whole number from 1 to 366"
        require(1 <= self.horizon <= 366, "forecasting.horizon", self.horizon, allowed)  # noqa: PLR2004


def forecast_series(
    champion: ModelVersion,
    served_challenger: ServedChallenger | None,
    panel: PanelParts,
    forecasting: ForecastingParameters,
    monitoring: MonitoringParameters,
) -> tuple[Table, pd.DataFrame]:
    """Forecast every series from the last day with known sales, by the champion.

    A challenger that is served beside it forecasts what is kept for monitoring, too; if it cannot,
    that is told and no more.

    Returns:
        One row per series and day, sorted by store_nbr, item_nbr and date: step (1 for the day
        after the last sales), long_range (beyond the model's horizon), `FORECAST` in units,
        model_version. And what is kept of it until sales have arrived: the monitored series' rows
        within the horizon with cutoff, baselines and model_version.
    """
    steps = np.arange(1, forecasting.horizon + 1)
    table = champion.model.tabulate(panel, panel.n_days - 1, steps)
    forecasts = derive_table(table, _select_columns, str(champion.number))
    first, last = panel.cutoff + steps[0], panel.cutoff + steps[-1]
    logger.info(
        "Forecasts: %s series × %d days, %s … %s, by version %d (%s).",
        f"{panel.n_series:,}", len(steps), first, last,
        champion.number, champion.model.final.name,
    )  # fmt: skip
    kept = [_keep_monitored(table, panel, len(steps), champion.number, monitoring.max_series)]
    if served_challenger is not None:
        challenger = served_challenger.version
        kept += _forecast_beside(challenger, panel, steps, monitoring.max_series)
    return forecasts, pd.concat(kept, ignore_index=True)


def _select_columns(part: pd.DataFrame, version: str) -> pd.DataFrame:
    return part[_COLUMNS].assign(model_version=version)


def _forecast_beside(
    challenger: ModelVersion, panel: PanelParts, steps: np.ndarray, max_series: int
) -> list[pd.DataFrame]:
    """Return what is kept of the challenger's forecasts; nothing if it cannot make them."""
    try:
        model, rows = challenger.model, choose_series(panel, max_series)
        table = model.forecast(panel, panel.n_days - 1, steps[steps <= model.horizon], rows)
    except Exception:
        logger.warning("Version %d, the challenger, cannot forecast", challenger.number,
                       exc_info=True)  # fmt: skip
        return []
    return [_label(table, panel, challenger.number)]


def _keep_monitored(
    table: Table, panel: PanelParts, n_steps: int, version: int, max_series: int
) -> pd.DataFrame:
    """Return the rows of the monitored series within the horizon."""
    own = panel.split(choose_series(panel, max_series))
    return _label(join_tables(ask_table(table, _select_series, n_steps, own=own)), panel, version)


def _select_series(part: pd.DataFrame, rows: np.ndarray, n_steps: int) -> pd.DataFrame:
    """Return the rows of some series within the horizon, of a table of so many steps each."""
    chosen = np.zeros(len(part) // n_steps, bool)
    chosen[rows] = True
    return part[np.repeat(chosen, n_steps) & ~part["long_range"].to_numpy()]


def _label(table: pd.DataFrame, panel: PanelParts, version: int) -> pd.DataFrame:
    return table.assign(model_version=version, cutoff=panel.cutoff.astype("datetime64[ms]"))


def make_submission(forecasts: Table, promotion_plan: pd.DataFrame) -> pd.DataFrame:
    """Bring the point forecasts into the form that Kaggle takes.

    Args:
        forecasts: One row per series and day, see `forecast_series`.
        promotion_plan: One row per id, date, store_nbr and item_nbr; may be empty.

    Returns:
        One row per row of the plan whose date is forecast, in the plan's order: id, unit_sales.

    Raises:
        StaleForecastError: If the plan has a pair of store and item without a forecast.
    """
    if promotion_plan.empty:
        logger.info("Submission: empty, as there is no promotion plan (test.csv).")
    plan = _keep_forecast_days(promotion_plan, forecasts)
    units = np.full(len(plan), np.nan)
    for rows, points in ask_table(forecasts, _find_points, plan[_STEP_KEY]):
        units[rows] = points
    missing = np.isnan(units)
    if missing.any():
        raise StaleForecastError(_explain_missing(plan[missing]))
    return pd.DataFrame({"id": plan["id"].to_numpy(), "unit_sales": units.round(_DECIMALS)})


def _find_points(part: pd.DataFrame, keys: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows of the plan have their forecast in this part, and these."""
    points = keys.merge(part[[*_STEP_KEY, "point"]], how="left", on=_STEP_KEY)["point"].to_numpy()
    found = np.flatnonzero(~np.isnan(points))
    return found, points[found]


def _keep_forecast_days(plan: pd.DataFrame, forecasts: Table) -> pd.DataFrame:
    """Return the rows of the plan within the horizon, with their step."""
    days = list_days(forecasts)
    first = days["date"].min().to_datetime64()
    day = (plan["date"].to_numpy().astype("datetime64[D]") - first.astype("datetime64[D]")) + 1
    step = day.astype(int)
    inside = np.isin(step, days["step"])
    if not inside.all():
        logger.warning(
            "Submission: %s rows of the promotion plan left out, as their dates lie outside of "
            "the forecast days %s … %s.",
            f"{np.sum(~inside):,}", f"{days['date'].min():%Y-%m-%d}",
            f"{days['date'].max():%Y-%m-%d}",
        )  # fmt: skip
    return plan.assign(step=step.astype(np.int16))[inside]


def _explain_missing(rows: pd.DataFrame) -> str:
    pairs = rows[SERIES_KEY].drop_duplicates()
    store, item = pairs.iloc[0]
    return (
        f"{len(pairs):,} pairs of store and item in the promotion plan have no forecast, as store "
        f"{store}, item {item}: the forecasts were made from other sales than this plan. Make both "
        "again: kedro run --pipelines preprocess,forecast"
    )
