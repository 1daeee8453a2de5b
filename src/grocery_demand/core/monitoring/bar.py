"""The bar of the live error: what a window of days may err by, as the backtest promised."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from grocery_demand.core.monitoring.promise import Promise

_BAR, _RAISED, _MIDDLE = 0.99, 0.95, 0.5
_DRAWS = 4000
_WEEK = 7
_FEWEST_FOLDS = 2


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
    Days of a fold are easier or harder together, and so are those of a window: what the days of
    its fold have in common is taken from each drawn day, and drawn anew for the window as a whole,
    as for a new study in a random-effects model (Higgins, Thompson and Spiegelhalter 2009).

    Args:
        promise: The backtest's errors by day and step.
        window: weekday and hardness of the window's days, see `mix_steps`.
        max_error_growth: Share that is allowed beyond chance.
    """
    days, spread = _part_folds(_prepare_days(promise))
    generator = np.random.default_rng(len(window))
    weight, squares = np.zeros(_DRAWS), np.zeros(_DRAWS)
    for weekday, hardness in window.sort("weekday").select("weekday", "hardness").iter_rows():
        alike = days.filter(pl.col("weekday") == weekday)
        alike = days if alike.is_empty() else alike
        drawn = generator.integers(len(alike), size=_DRAWS)
        weight += alike["weight"].to_numpy()[drawn] / alike["weight"].mean()
        squares += hardness * alike["squares"].to_numpy()[drawn] / alike["weight"].mean()
    squares *= np.exp(spread * generator.standard_normal(_DRAWS))
    promised, raised, bar = np.quantile(np.sqrt(squares / weight), [_MIDDLE, _RAISED, _BAR])
    return Bar(float(promised), float(raised), float(bar * (1 + max_error_growth)))


def _prepare_days(promise: Promise) -> pl.DataFrame:
    """Return the backtest's days: fold, weekday, weight, and squares as of a hardness of 1.

    Days kept before their step was are of all steps, each as often, and of no known fold.
    """
    growth = fit_step_growth(promise)
    steps = np.array([s["step"] for s in promise.steps] or [1.0], float)
    known = [day.get("step") for day in promise.days]
    usual = float(np.mean(steps**growth))
    hardness = [usual if step is None else step**growth for step in known]
    day, ahead = pl.col("date").str.to_date(), pl.lit(pl.Series(known, dtype=pl.Int64))
    return pl.DataFrame(promise.days).select(
        day.dt.weekday().alias("weekday"),
        "weight",
        squares=pl.col("squares") / pl.Series(hardness, dtype=pl.Float64),
        fold=day - pl.duration(days=ahead),
    )


def _part_folds(days: pl.DataFrame) -> tuple[pl.DataFrame, float]:
    """Take from each day what the days of its fold have in common beyond chance.

    The level of a fold is the mean of its days' ln(squared error), each against its weekday's. The
    variance between folds is half the mean square difference of successive levels (von Neumann
    1941), so that a slow trend is not taken for scatter, less what the days' own explains. A level
    is taken off by the share that the folds have in its variance.

    Returns:
        The days; and the standard deviation of ln(squared error) by which another fold may lie
        off the mean of these, which is uncertain itself.
    """
    levels = _measure_folds(days)
    if len(levels) < _FEWEST_FOLDS:
        return days, 0.0
    level, by_chance = levels["level"].to_numpy(), levels["by_chance"].to_numpy()
    between = max(float((np.diff(level) ** 2).mean() / 2 - by_chance.mean()), 0.0)
    if between == 0:
        return days, 0.0
    common = (level - level.mean()) * between / (between + by_chance)
    folds = levels.select("fold", common=pl.Series(common))
    alone = pl.col("squares") / pl.col("common").fill_null(0.0).exp()
    parted = days.join(folds, on="fold", how="left", maintain_order="left")
    return parted.with_columns(squares=alone), float(np.sqrt(between * (1 + 1 / len(levels))))


def _measure_folds(days: pl.DataFrame) -> pl.DataFrame:
    """Return fold, level, and the variance that chance gives the level, by_chance."""
    error = (pl.col("squares") / pl.col("weight")).log()
    known = days.with_columns(error=error).filter(
        pl.col("fold").is_not_null(), pl.col("error").is_finite()
    )
    known = known.with_columns(pl.col("error") - pl.col("error").mean().over("weekday"))
    levels = known.group_by("fold").agg(level=pl.col("error").mean(), days=pl.len()).sort("fold")
    alone = pl.col("error") - pl.col("error").mean().over("fold")
    free = max(len(known) - len(levels), 1)
    own = known.select(alone.pow(2).sum()).item() / free
    return levels.select("fold", "level", by_chance=own / pl.col("days"))
