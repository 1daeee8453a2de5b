"""Whether the coming week's forecasts add up to what weeks of the past did, peaks considered."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from grocery_demand.core.monitoring.check import ALARM, OK, OUTPUTS, UNKNOWN, Check, tell_left_out
from grocery_demand.core.monitoring.promise import NEAR_STEPS
from grocery_demand.core.panel import Panel

_WEEK, _MONTH, _YEAR = 7, 28, 364
_REACH = _YEAR + _WEEK + _MONTH
_MARGIN = 0.10
_HIGHEST_PEAK = 3
_WEEKS_AROUND = 4
_FEWEST_WEEKS = 8
_NAME = "totals of forecasts"
_TOO_FEW = "Too few weeks of sales to compare with."


def check_totals(
    panel: Panel,
    rows: np.ndarray,
    forecasts: pd.DataFrame,
    bias: float,
    wrong_days: Sequence[str] = (),
) -> Check:
    """Compare the coming week with the last four; the band is what past weeks did.

    Forecasts of the middle add up to less than sales: what the backtest's totals were off by is
    made up for. Days on which no store sold anything, and wrong ones, tell nothing of demand: the
    usual of their weekday stands for them.

    Args:
        panel: Sales.
        rows: Positions of the series that are looked at.
        forecasts: Their newest batch forecasts, from the day after the panel's last.
        bias: Of the backtest's first steps, as a share of the sales.
        wrong_days: Dates, ISO, whose sales are known to be wrong.
    """
    sold = _sum_sales(panel, rows, wrong_days)
    known = len(sold) >= _MONTH + _FEWEST_WEEKS * _WEEK
    if not known or np.isfinite(sold[-_MONTH:]).sum() < _WEEK:
        return Check(OUTPUTS, _NAME, UNKNOWN, _TOO_FEW)
    usual = _find_usual(np.concatenate([sold, np.full(NEAR_STEPS, np.nan)]))
    cut = np.fmin(sold, _HIGHEST_PEAK * usual[: len(sold)])
    by_day = np.where(np.isnan(sold), usual[: len(sold)], cut)
    ratios = _compare_weeks(by_day)
    week = _sum_week(panel, forecasts, bias, sold, usual)
    level = np.nanmean(by_day[-_MONTH:])
    if not (len(ratios) and level > 0 and np.isfinite(week)):
        return Check(OUTPUTS, _NAME, UNKNOWN, _TOO_FEW)
    return _judge(float(week / level), ratios, bias, tell_left_out(wrong_days))


def _judge(value: float, ratios: np.ndarray, bias: float, left_out: str) -> Check:
    low, high = ratios.min() * (1 - _MARGIN), ratios.max() * (1 + _MARGIN)
    told = (
        f"The coming 7 days are forecast at {value:.2f} times the last 28 days' sales a day, the "
        f"backtest's bias of {bias:+.0%} made up for; past weeks were {ratios.min():.2f} to "
        f"{ratios.max():.2f} times.{left_out}"
    )
    outside = not low <= value <= high
    mend = "See by family and store in the forecasts what is so high or low." if outside else ""
    bound = float(low if value < 1 else high)
    return Check(OUTPUTS, _NAME, ALARM if outside else OK, told, mend, value, bound)


def _sum_sales(panel: Panel, rows: np.ndarray, wrong_days: Sequence[str]) -> np.ndarray:
    """Return the units by day of the last year and five weeks; NaN on days that tell nothing."""
    first = max(panel.n_days - _REACH, 0)
    sold = panel.units[rows, first:].sum(axis=0, dtype=float)
    sold[~panel.open_days[:, first:].any(axis=0)] = np.nan
    wrong = np.array([panel.day_of(day) for day in wrong_days], int) - first
    sold[wrong[(wrong >= 0) & (wrong < len(sold))]] = np.nan
    return sold


def _find_usual(sold: np.ndarray) -> np.ndarray:
    """Return the median of each day's weekday, four weeks around; NaN if none of them is known.

    On a weekday on which nothing was ever sold it is 0.
    """
    usual = np.full(len(sold), np.nan)
    for day in range(len(sold)):
        if np.isnan(sold[day % _WEEK :: _WEEK]).all():
            usual[day] = 0.0
            continue
        first = day - min(_WEEKS_AROUND, day // _WEEK) * _WEEK
        around = sold[first : day + _WEEKS_AROUND * _WEEK + 1 : _WEEK]
        around = around[np.isfinite(around)]
        if len(around):
            usual[day] = np.median(around)
    return usual


def _compare_weeks(by_day: np.ndarray) -> np.ndarray:
    """Return each past week's units a day over those of the four weeks before it."""
    coming = np.lib.stride_tricks.sliding_window_view(by_day[_MONTH:], _WEEK).mean(axis=1)
    before = np.lib.stride_tricks.sliding_window_view(by_day[:-_WEEK], _MONTH).mean(axis=1)
    known = np.isfinite(coming) & (before > 0)
    return np.asarray(coming[known] / before[known])


def _sum_week(
    panel: Panel, forecasts: pd.DataFrame, bias: float, sold: np.ndarray, usual: np.ndarray
) -> float:
    """Return the coming week's forecast units a day, the bias made up for; NaN if unknown.

    A peak that the same date had a year ago is cut as past days are. What exceeds it counts in
    full, as does any other peak: a forecast may be wrong. Dates on which all were closed a year ago
    are left out.
    """
    by_step = forecasts.groupby("step")["point"].sum()
    points = by_step.reindex(range(1, NEAR_STEPS + 1), fill_value=0.0).to_numpy(float)
    made_up = points / max(1 + bias, _MARGIN)
    ahead = np.nan_to_num(usual[len(sold) :])
    peaks, is_closed = _look_a_year_back(panel, sold, usual)
    highest = _HIGHEST_PEAK * ahead
    # Whether the backtest's bias is a peak's, too, is not known: points themselves may be as high.
    explained = peaks * ahead * (1 + _MARGIN) / np.clip(1 + bias, _MARGIN, 1)
    units = np.minimum(made_up, highest)
    units += np.maximum(made_up - np.maximum(highest, explained), 0)
    if not is_closed.any():
        return float(units.mean())
    kept = ahead[~is_closed].sum()
    return float(units[~is_closed].sum() / kept * ahead.mean()) if kept > 0 else float("nan")


def _look_a_year_back(
    panel: Panel, sold: np.ndarray, usual: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return of each coming day the highest peak a year ago, and whether all were closed then.

    A peak is a multiple of its weekday's usual units, within a day of the same date or 52 weeks
    before; 0 if none is known.
    """
    first = panel.n_days - len(sold)
    peaks, is_closed = np.zeros(NEAR_STEPS), np.zeros(NEAR_STEPS, bool)
    for step in range(NEAR_STEPS):
        day = len(sold) + step
        date = pd.Timestamp(panel.date_of(panel.n_days + step)) - pd.DateOffset(years=1)
        same = panel.day_of(f"{date:%Y-%m-%d}") - first
        days = np.array([same - 1, same, same + 1, day - _YEAR])
        days = days[(days >= 0) & (days < len(sold))]
        known = days[usual[days] > 0]
        peaks[step] = np.max(np.nan_to_num(sold[known] / usual[known]), initial=0.0)
        is_closed[step] = same >= 0 and not panel.open_days[:, first + same].any()
    return peaks, is_closed
