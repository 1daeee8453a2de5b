"""The bar of the live error: what a window of days may err by, as the backtest promised."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from grocery_demand.core.monitoring.promise import Promise

_BAR, _RAISED, _MIDDLE = 0.999, 0.95, 0.5
_DRAWS = 4000
_WEEK = 7


@dataclass(frozen=True)
class Bar:
    """What the error of a window of days may be, by what the backtest promised.

    Attributes:
        promised: The middle of what is to be expected.
        raised: Above it, the error is higher than chance makes it in 19 of 20 windows.
        broken: Above it, the error is higher than chance and the growth that is allowed explain.
    """

    promised: float
    raised: float
    broken: float

    def times(self, factor: float) -> "Bar":
        """Return it for days that are harder by a factor."""
        return Bar(self.promised * factor, self.raised * factor, self.broken * factor)


UNKNOWN_BAR = Bar(float("nan"), float("nan"), float("nan"))


def fit_step_growth(promise: Promise) -> float:
    """Return the power of the step ahead with which the squared error grows, at least 0.

    The slope of ln(squared error) over ln(step), by least squares among steps of the same weekday:
    all windows of the backtest begin on the same one, so steps a whole week apart share it, and
    what is easy or hard about a weekday is not taken for the step's. 0 for horizons of a week.
    """
    known = [s for s in promise.steps if s["nwrmsle"]]
    if not known:
        return 0.0
    step = np.array([s["step"] for s in known])
    error = 2 * np.log([s["nwrmsle"] for s in known])
    size = np.log(step)
    for weekday in np.unique(step % _WEEK):
        same = step % _WEEK == weekday
        size[same] -= size[same].mean()
        error[same] -= error[same].mean()
    spread = float(size @ size)
    return max(float(size @ error) / spread, 0.0) if spread > 0 else 0.0


def mix_steps(live: pl.DataFrame, growth: float) -> pl.DataFrame:
    """Return how hard each day's mix of steps ahead is.

    Args:
        live: See `live_error.join_sales`.
        growth: See `fit_step_growth`.

    Returns:
        One row per date, sorted: weekday (1 for Monday), mean_step and hardness: the weighted
        means of the steps, and of the steps to the power of the growth.
    """
    step, weight = pl.col("step").cast(pl.Float64), pl.col("weight")
    mixed = live.group_by("date").agg(
        mean_step=(weight * step).sum() / weight.sum(),
        hardness=(weight * step**growth).sum() / weight.sum(),
    )
    return mixed.sort("date").with_columns(weekday=pl.col("date").dt.weekday())


def set_bar(promise: Promise, window: pl.DataFrame, max_error_growth: float) -> Bar:
    """Return the bar of a window.

    Days of the backtest are drawn, for each day of the window one of its weekday, and scored as a
    window (a bootstrap stratified by weekday, Efron and Tibshirani 1993): weekends and working
    days are not forecast equally well. Each drawn day's squared error is brought from its own
    step ahead to the steps of the window's day: right after a training only the first ones exist.

    Args:
        promise: The backtest's errors by day and step.
        window: weekday and hardness of the window's days, see `mix_steps`.
        max_error_growth: Share that is allowed beyond chance.
    """
    days = _prepare_days(promise)
    generator = np.random.default_rng(len(window))
    weight, squares = np.zeros(_DRAWS), np.zeros(_DRAWS)
    for weekday, hardness in window.sort("weekday").select("weekday", "hardness").iter_rows():
        alike = days.filter(pl.col("weekday") == weekday)
        alike = days if alike.is_empty() else alike
        drawn = generator.integers(len(alike), size=_DRAWS)
        weight += alike["weight"].to_numpy()[drawn] / alike["weight"].mean()
        squares += hardness * alike["squares"].to_numpy()[drawn] / alike["weight"].mean()
    promised, raised, bar = np.quantile(np.sqrt(squares / weight), [_MIDDLE, _RAISED, _BAR])
    return Bar(float(promised), float(raised), float(bar * (1 + max_error_growth)))


def _prepare_days(promise: Promise) -> pl.DataFrame:
    """Return the backtest's days: weekday, weight, and squares as of a hardness of 1.

    Days kept before their step was are of all steps, each as often.
    """
    growth = fit_step_growth(promise)
    steps = np.array([s["step"] for s in promise.steps] or [1.0], float)
    known = [day.get("step") for day in promise.days]
    usual = float(np.mean(steps**growth))
    hardness = [usual if step is None else step**growth for step in known]
    return pl.DataFrame(promise.days).select(
        pl.col("date").str.to_date().dt.weekday().alias("weekday"),
        "weight",
        squares=pl.col("squares") / pl.Series(hardness, dtype=pl.Float64),
    )
