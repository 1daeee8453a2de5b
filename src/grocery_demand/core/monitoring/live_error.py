"""Forecasts beside the sales that have arrived since: the live error against the promised one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl

from grocery_demand.core.features import MOVING_AVERAGE
from grocery_demand.core.monitoring.bar import UNKNOWN_BAR, fit_step_growth, mix_steps, set_bar
from grocery_demand.core.monitoring.check import (
    ALARM,
    ERROR,
    LIVE_ERROR,
    OK,
    UNKNOWN,
    WATCH,
    Check,
    tell_left_out,
)
from grocery_demand.core.monitoring.group_scores import (
    add_errors,
    score_groups,
    sum_groups,
    to_scores,
)
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.monitoring.promise import Promise
from grocery_demand.core.monitoring.sample import describe_series
from grocery_demand.core.monitoring.season import Season
from grocery_demand.core.panel import SERIES_KEY, Panel

DECISIVE_WINDOWS = 5
"""Newest windows that decide; so many days, as one ends each day."""

BROKEN_WINDOWS = 2
"""Windows among them above the bar that raise the alarm, if the newest is one of them."""

_FEWEST_DAYS = 3
_COVERAGE_LOSS = 0.10
_MEND = "Retrain: `kedro run --pipeline retrain`."


def join_sales(
    archive: pl.LazyFrame,
    panel: Panel,
    version: int,
    cutoff: str,
    days: int,
    wrong_days: Sequence[str] = (),
) -> pl.DataFrame:
    """Put the sales that have arrived beside a version's stored forecasts.

    Args:
        archive: Forecasts: the series' key, cutoff, date, step, model_version, point, the
            interval's bounds and baselines.
        panel: Sales.
        version: Whose forecasts are looked at.
        cutoff: Last day of the sales that it was trained on, ISO.
        days: How many of the last days of the panel.
        wrong_days: Dates, ISO, whose sales are known to be wrong; they are left out.

    Returns:
        One row per series, cutoff and date, up to the panel's last day, on which the store was
        open: the forecast, unit_sales (returns as zero), slices, weight and what
        `group_scores.add_errors` adds. Forecasts of days that the model was trained on are left
        out: they are made where sales are taken back to an earlier day.
    """
    first, last = panel.date_of(max(panel.n_days - days, 0)), panel.cutoff
    series = describe_series(panel, min(panel.day_of(cutoff), panel.n_days - 1))
    due = pl.col("date").is_between(first.astype(date), last.astype(date))
    due &= pl.col("cutoff") >= date.fromisoformat(cutoff)
    due &= ~pl.col("date").is_in([date.fromisoformat(day) for day in wrong_days])
    of_version = pl.col("model_version") == version
    rows = archive.filter(due, of_version).collect().join(series, on=SERIES_KEY, how="inner")
    day = (rows["date"].to_physical() - panel.start_day).to_numpy()
    position = rows["position"].to_numpy()
    started = panel.series["first_sale"].to_numpy()[position] <= day
    counted = started & panel.open_days[panel.store_position[position], day]
    sold = pl.Series("unit_sales", panel.units[position, day].astype(float))
    return add_errors(rows.with_columns(sold).filter(pl.Series(counted)))


def score_windows(
    live: pl.DataFrame,
    promise: Promise | None,
    season: Season,
    parameters: MonitoringParameters,
) -> pl.DataFrame:
    """Score the windows of days, one ending on each day with sales.

    What is promised, and the bar, are those of the steps ahead that the window's forecasts are of,
    and raised for dates that were harder in earlier years than the days of the backtest.

    Returns:
        One row per window, by its last date: days, mean_step (days ahead, on average), rows, the
        scores, and promised, raised and bar (NaN without a promise). Windows of fewer than 3 days
        are left out.
    """
    daily = sum_groups(live, ["date"])
    mixed = mix_steps(live, fit_step_growth(promise) if promise else 0.0)
    usual = sorted({date.fromisoformat(day["date"]) for day in promise.days}) if promise else []
    records = []
    for last in daily["date"].to_list():
        age = (last - pl.col("date")).dt.total_days()
        of_window = (age >= 0) & (age < parameters.window_days)
        window, mix = daily.filter(of_window), mixed.filter(of_window)
        if len(window) < _FEWEST_DAYS:
            continue
        bar = set_bar(promise, mix, parameters.max_error_growth) if promise else UNKNOWN_BAR
        bar = bar.times(season.factor(window["date"].to_list(), usual))
        mean_step = np.average(mix["mean_step"].to_numpy(), weights=window["weight"].to_numpy())
        sums = window.drop("date").sum()
        sums = sums.with_columns(date=last, days=len(window), mean_step=float(mean_step))
        scores = to_scores(sums).to_dicts()[0]
        records.append(scores | {"promised": bar.promised, "raised": bar.raised, "bar": bar.broken})
    return pl.DataFrame(records)


def score_live(live: pl.DataFrame, cutoff: str, names: tuple[str, ...]) -> pl.DataFrame:
    """Score by day, step ahead, weeks since the model's sales, and slice.

    Args:
        live: See `join_sales`.
        cutoff: Last day of the sales that the model was trained on, ISO.
        names: Further columns to divide by.

    Returns:
        One row per slice and value: slice, value, rows and the scores; slice `total` is all rows.
    """
    age = (pl.col("date") - pl.lit(cutoff).str.to_date()).dt.total_days()
    rows = live.with_columns(
        total=pl.lit("all"), day=pl.col("date").cast(pl.String), weeks=(age - 1) // 7 + 1
    )
    slices = {"total": "total", "date": "day", "step": "step", "weeks_since_cutoff": "weeks"}
    slices |= {name: name for name in names}
    parts = [
        score_groups(rows, [column])
        .rename({column: "value"})
        .select(pl.lit(name).alias("slice"), pl.col("value").cast(pl.String), pl.exclude("value"))
        for name, column in slices.items()
    ]
    return pl.concat(parts)


def check_live_error(
    windows: pl.DataFrame, promise: Promise | None, version: int, wrong_days: Sequence[str] = ()
) -> list[Check]:
    """Hold the windows against their bars, the baseline and the promised coverage.

    Args:
        windows: See `score_windows`.
        promise: What the backtest promised.
        version: Whose forecasts they are.
        wrong_days: Dates that were left out of them, ISO.
    """
    left_out = tell_left_out(wrong_days)
    if windows.is_empty():
        told = f"Sales of fewer than {_FEWEST_DAYS} days have met forecasts of version {version}."
        return [Check(LIVE_ERROR, ERROR, UNKNOWN, told + left_out)]
    newest = windows.row(-1, named=True)
    error = _check_bar(windows, newest)
    checks = [replace(error, detail=error.detail + left_out), _check_baseline(newest)]
    return [*checks, _check_coverage(newest, promise.coverage)] if promise else checks


def _check_bar(windows: pl.DataFrame, newest: dict[str, float]) -> Check:
    name = ERROR
    if np.isnan(newest["bar"]):
        told = "The model holds no promise of its backtest: it was trained by an earlier version."
        return Check(LIVE_ERROR, name, UNKNOWN, told, _MEND, newest["nwrmsle"])
    last = windows.tail(DECISIVE_WINDOWS)
    broken = int((last["nwrmsle"] > last["bar"]).sum())
    is_broken = newest["nwrmsle"] > newest["bar"]
    told = (
        f"NWRMSLE {newest['nwrmsle']:.4f} over {newest['days']} days, forecast "
        f"{newest['mean_step']:.1f} days ahead on average; the backtest promised "
        f"{newest['promised']:.4f} of these; the bar is {newest['bar']:.4f}, broken in {broken} "
        f"of the last {len(last)} windows."
    )
    is_raised = newest["nwrmsle"] > newest["raised"]
    state = OK
    if is_broken and broken >= BROKEN_WINDOWS:
        state = ALARM
    elif is_broken or broken or is_raised:
        state = WATCH
    if is_raised and not is_broken:
        told += f" It is above {newest['raised']:.4f}, as one week in 20 is by chance."
    mend = {ALARM: _MEND, WATCH: "Look again tomorrow."}.get(state, "")
    return Check(LIVE_ERROR, name, state, told, mend, newest["nwrmsle"], newest["bar"])


def _check_baseline(newest: dict[str, float]) -> Check:
    model, baseline = newest["nwrmsle"], newest[MOVING_AVERAGE]
    told = f"NWRMSLE {model:.4f}; the moving average makes {baseline:.4f} on the same rows."
    worse = model > baseline
    mend = "Retrain if it stays so: `kedro run --pipeline retrain`." if worse else ""
    state = WATCH if worse else OK
    return Check(LIVE_ERROR, "error beside the baseline", state, told, mend, model, baseline)


def _check_coverage(newest: dict[str, float], promised: float) -> Check:
    found, lowest = newest["coverage"], promised - _COVERAGE_LOSS
    told = f"80 % intervals covered {found:.1%}; {promised:.1%} in the backtest."
    state = WATCH if found < lowest else OK
    mend = "Retrain if the error rises, too." if state == WATCH else ""
    return Check(LIVE_ERROR, "coverage of intervals", state, told, mend, found, lowest)
