"""Whether the forecasts themselves look as before: their totals and their distribution."""

import numpy as np
import pandas as pd
import polars as pl

from grocery_demand.core.metrics import log1p_units
from grocery_demand.core.monitoring.check import ALARM, OK, OUTPUTS, UNKNOWN, WATCH, Check
from grocery_demand.core.monitoring.distance import count_bins, stability_index
from grocery_demand.core.monitoring.promise import NEAR_STEPS, Promise
from grocery_demand.core.panel import SERIES_KEY, Panel

_WEEK, _MONTH, _YEAR = 7, 28, 364
_MARGIN = 0.10
_HIGHEST_PEAK = 3
_FEWEST_WEEKS = 8
_TOO_FEW = "Too few weeks of sales to compare with."


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
) -> list[Check]:
    """Hold the forecasts against the last weeks' sales and against the backtest's forecasts."""
    chosen = _keep_series(panel, rows, forecasts)
    if chosen.empty or f"{chosen['date'].min():%Y-%m-%d}" != str(panel.date_of(panel.n_days)):
        told = "The newest forecasts do not begin on the day after the last sales."
        mend = "Forecast again: `kedro run --pipeline forecast`."
        return [Check(OUTPUTS, "totals of forecasts", UNKNOWN, told, mend)]
    bias = _promised_bias(promise)
    return [_check_totals(panel, rows, chosen, bias), _check_distribution(chosen, promise, max_psi)]


def _promised_bias(promise: Promise | None) -> float:
    """Return the bias of the backtest's first steps; that of all if an older model knows no more.

    Forecasts of the middle add up to ever less than the sales the further ahead they are.
    """
    known = (promise.near_bias, promise.bias) if promise else ()
    return next((bias for bias in known if bias is not None), 0.0)


def _check_totals(panel: Panel, rows: np.ndarray, chosen: pd.DataFrame, bias: float) -> Check:
    """Compare the coming week with the last four; the band is what past weeks did.

    Forecasts of the middle add up to less than sales: what the backtest's totals were off by is
    made up for.
    """
    name = "totals of forecasts"
    first = max(panel.n_days - _YEAR - _WEEK - _MONTH, 0)
    by_day = _cut_peaks(panel.units[rows, first:].sum(axis=0, dtype=float))
    week = chosen.loc[chosen["step"] <= NEAR_STEPS, "point"].sum() / NEAR_STEPS
    if len(by_day) < _MONTH + _FEWEST_WEEKS * _WEEK or not by_day[-_MONTH:].any():
        return Check(OUTPUTS, name, UNKNOWN, _TOO_FEW)
    value = float(week / max(1 + bias, _MARGIN) / by_day[-_MONTH:].mean())
    starts = np.arange(_MONTH, len(by_day) - _WEEK + 1)
    sums = np.concatenate([[0.0], np.cumsum(by_day)])
    coming = (sums[starts + _WEEK] - sums[starts]) / _WEEK
    before = (sums[starts] - sums[starts - _MONTH]) / _MONTH
    ratios = coming[before > 0] / before[before > 0]
    if not len(ratios):
        return Check(OUTPUTS, name, UNKNOWN, _TOO_FEW)
    low, high = ratios.min() * (1 - _MARGIN), ratios.max() * (1 + _MARGIN)
    told = (
        f"The coming 7 days are forecast at {value:.2f} times the last 28 days' sales a day, the "
        f"backtest's bias of {bias:+.0%} made up for; past weeks were {ratios.min():.2f} to "
        f"{ratios.max():.2f} times."
    )
    outside = not low <= value <= high
    mend = "See by family and store in the forecasts what is so high or low." if outside else ""
    bound = float(low if value < 1 else high)
    return Check(OUTPUTS, name, ALARM if outside else OK, told, mend, value, bound)


def _cut_peaks(by_day: np.ndarray) -> np.ndarray:
    """Return the units by day, none more than thrice the median of its weekday four weeks around.

    A day of wrong units must not make the band so wide that nothing lies outside of it.
    """
    weekday = np.arange(len(by_day)) % _WEEK
    cut = by_day.copy()
    for each in range(_WEEK):
        same = by_day[weekday == each]
        around = [np.median(same[max(i - 4, 0) : i + 5]) for i in range(len(same))]
        cut[weekday == each] = np.minimum(same, _HIGHEST_PEAK * np.array(around))
    return cut


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
