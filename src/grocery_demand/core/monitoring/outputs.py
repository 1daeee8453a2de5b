"""Whether the forecasts themselves look as before: their totals and their distribution."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.metrics import log1p_units
from grocery_demand.core.monitoring.check import OK, OUTPUTS, UNKNOWN, WATCH, Check
from grocery_demand.core.monitoring.distance import count_bins, stability_index
from grocery_demand.core.monitoring.promise import Promise
from grocery_demand.core.monitoring.totals import check_totals
from grocery_demand.core.panel import SERIES_KEY, Panel

_MONTH = 28


def sum_by_day(panel: Panel, rows: np.ndarray, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return the units sold and forecast by day, of the last weeks and the days ahead.

    Args:
        panel: Sales.
        rows: Positions of the series that are looked at.
        forecasts: The newest batch forecasts.

    Returns:
        One row per day: date, sold (NaN ahead), forecast (NaN before).
    """
    first = max(panel.n_days - _MONTH, 0)
    sold = panel.units[rows, first:].sum(axis=0, dtype=float)
    past = pd.DataFrame({"date": panel.date_of(first) + np.arange(len(sold)), "sold": sold})
    ahead = _keep_series(panel, rows, forecasts).groupby("date")["point"].sum()
    future = pd.DataFrame({"date": ahead.index.to_numpy(), "forecast": ahead.to_numpy()})
    past, future = (t.assign(date=t["date"].astype("datetime64[ms]")) for t in (past, future))
    return past.merge(future, on="date", how="outer").sort_values("date", ignore_index=True)


def check_outputs(
    panel: Panel,
    rows: np.ndarray,
    forecasts: pd.DataFrame,
    promise: Promise | None,
    max_psi: float,
    wrong_days: Sequence[str] = (),
) -> list[Check]:
    """Hold the forecasts against the last weeks' sales and against the backtest's forecasts.

    Args:
        panel: Sales.
        rows: Positions of the series that are looked at.
        forecasts: The newest batch forecasts.
        promise: What the model's backtest did; None for a model that holds none.
        max_psi: Index that counts as a change of their sizes.
        wrong_days: Dates, ISO, whose sales are known to be wrong; they are left out.
    """
    chosen = _keep_series(panel, rows, forecasts)
    if chosen.empty or f"{chosen['date'].min():%Y-%m-%d}" != str(panel.date_of(panel.n_days)):
        told = "The newest forecasts do not begin on the day after the last sales."
        mend = "Forecast again: `kedro run --pipeline forecast`."
        return [Check(OUTPUTS, "totals of forecasts", UNKNOWN, told, mend)]
    bias = _promised_bias(promise)
    totals = check_totals(panel, rows, chosen, bias, wrong_days)
    return [totals, _check_distribution(chosen, promise, max_psi)]


def _promised_bias(promise: Promise | None) -> float:
    """Return the bias of the backtest's first steps; that of all if an older model knows no more.

    Forecasts of the middle add up to ever less than the sales the further ahead they are.
    """
    known = (promise.near_bias, promise.bias) if promise else ()
    return next((bias for bias in known if bias is not None), 0.0)


def _check_distribution(chosen: pd.DataFrame, promise: Promise | None, max_psi: float) -> Check:
    name = "distribution of forecasts"
    if promise is None or not promise.forecast_edges:
        told = "The model holds no promise of its backtest: it was trained by an earlier version."
        return Check(OUTPUTS, name, UNKNOWN, told, "Retrain: `kedro run --pipeline retrain`.")
    counts = count_bins(log1p_units(chosen["point"].to_numpy()), np.array(promise.forecast_edges))
    promised = promise.forecast_shares or [1.0] * (len(counts) - 1)
    value = float(stability_index(np.array([*promised, 0.0]), counts))
    told = f"PSI {value:.3f} of the sizes of forecasts against the backtest's."
    moved = value > max_psi
    mend = "See whether new series or another mix of products explain it." if moved else ""
    return Check(OUTPUTS, name, WATCH if moved else OK, told, mend, value, max_psi)


def _keep_series(panel: Panel, rows: np.ndarray, forecasts: pd.DataFrame) -> pd.DataFrame:
    if len(rows) == len(panel.series):
        return forecasts
    keys = pl.from_pandas(panel.series[SERIES_KEY].iloc[rows])
    return pl.from_pandas(forecasts).join(keys, on=SERIES_KEY, how="semi").to_pandas()
