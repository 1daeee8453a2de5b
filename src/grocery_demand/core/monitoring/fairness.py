"""Whether some products or stores are served worse than others, beyond noise."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy.special import stdtrit

from grocery_demand.core.features import MOVING_AVERAGE
from grocery_demand.core.gate.comparison import compare
from grocery_demand.core.monitoring.check import ALARM, FAIRNESS, OK, UNKNOWN, WATCH, Check
from grocery_demand.core.monitoring.parameters import MonitoringParameters
from grocery_demand.core.monitoring.promise import Promise
from grocery_demand.core.monitoring.sample import SLICES
from grocery_demand.core.panel import SERIES_KEY

FAIRNESS_COLUMNS = (
    "slice",
    "value",
    "rows",
    "series",
    "nwrmsle",
    "promised_nwrmsle",
    "bias",
    "bias_low",
    "bias_high",
    "skill",
    "skill_low",
    "skill_high",
    "promised_bias",
    "state",
)

_FEWEST_SERIES = 20
_FEWEST_FOR_INTERVAL = 5
_FEWEST_DAYS = 7
_SPREAD_FACTOR = 1.5


def measure_fairness(
    live: pl.DataFrame, promise: Promise | None, parameters: MonitoringParameters
) -> pl.DataFrame:
    """Score each slice with intervals over its series and days.

    Bias is a ratio of sums, its variance estimated by linearisation (Cochran 1977, section 6.4),
    with series and with days as the sampling units; skill is the moving average's NWRMSLE less
    the model's, see `core.gate.comparison.compare`. The confidence holds for all slices together
    (Bonferroni). A slice is `alarm` if its whole interval of the bias lies further from the
    backtest's than allowed and than single cutoffs of the backtest lay, or if it is surely worse
    than the moving average by series and by days; with fewer than 20 series it is only `watch`, and
    with fewer than five it has no intervals, as they would tell nothing.

    A slice that the backtest did not have, or that sold nothing in it, is held against the bias of
    the whole backtest and is only `watch`, too. Without a promise, or an interval, no bias is
    judged: a slice is `unknown` then, unless it is surely worse than the moving average.

    Args:
        live: Forecasts beside sales, see `live_error.join_sales`.
        promise: What the backtest promised.
        parameters: Allowed bias and confidence.

    Returns:
        One row per slice and value: `FAIRNESS_COLUMNS`; bias and skill as shares and NWRMSLE, what
        was promised of the slice itself as NaN if nothing was.
        Empty before a week of sales has arrived: what moves all series of a day would decide.
    """
    if live["date"].n_unique() < _FEWEST_DAYS:
        return pl.DataFrame(schema=dict.fromkeys(FAIRNESS_COLUMNS, pl.String))
    by_series = _sum_up(live, [*SERIES_KEY, *SLICES])
    groups = [
        Slice(
            name,
            str(key[0]),
            by_series.filter(pl.col(name) == key[0]),
            _sum_up(rows, ["date"]),
            _sum_up(rows, [*SERIES_KEY, "date"]),
        )
        for name in SLICES
        for key, rows in live.partition_by(name, as_dict=True, maintain_order=True).items()
    ]
    each = 1 - (1 - parameters.confidence) / max(len(groups), 1)
    records = [_score(g, each, _Expected.of(promise, g), parameters) for g in groups]
    table = pl.DataFrame(records, orient="row", schema=list(FAIRNESS_COLUMNS))
    return table.sort("slice", "value")


def check_fairness(fairness: pl.DataFrame) -> list[Check]:
    """Return one check, naming the slices that are off."""
    name = "error and bias by slice"
    if fairness.is_empty():
        return [Check(FAIRNESS, name, UNKNOWN, "Less than a week of sales has arrived yet.")]
    off = fairness.filter(pl.col("state") == ALARM)
    doubtful = fairness.filter(pl.col("state") == WATCH)
    large = fairness.filter(pl.col("series") >= _FEWEST_SERIES)
    calm = large if len(large) else fairness
    worst = (off if len(off) else doubtful if len(doubtful) else calm).sort(
        pl.col("bias").abs().fill_nan(0), descending=True
    )
    shown = [
        f"{row['slice']} {row['value']} ({_tell_bias(row['bias'])})"
        for row in worst.head(4).to_dicts()
    ]
    state = ALARM if len(off) else WATCH if len(doubtful) else OK
    state = UNKNOWN if set(fairness["state"]) == {UNKNOWN} else state
    many = {ALARM: len(off), WATCH: len(doubtful)}.get(state, 0)
    whose = f"the largest bias of the {len(calm)} with {_FEWEST_SERIES} series or more"
    largest = f"{whose if len(calm) < len(fairness) else 'the largest bias'}: {shown[0]}"
    known = fairness.filter(pl.col("state") != UNKNOWN)
    told = {
        OK: f"None of {len(known)} slices is off beyond chance{_tell_width(known)}; {largest}.",
        UNKNOWN: f"No bias can be judged, for want of a promise or of series; {largest}.",
    }.get(state, f"{many} of {len(fairness)} slices are off: {', '.join(shown)}.")
    mend = (
        ""
        if state in (OK, UNKNOWN)
        else "Retrain if the live error rises, too; see the table of slices."
    )
    return [Check(FAIRNESS, name, state, told, mend, float(many), 0.0)]


def _tell_width(fairness: pl.DataFrame) -> str:
    """Say how far a bias may lie from what is found, in the middle of the slices."""
    widths = (fairness["bias_high"] - fairness["bias_low"]).to_numpy().astype(float)
    widths = widths[np.isfinite(widths)]
    return f" (their bias is known to ±{np.median(widths) / 2:.0%})" if len(widths) else ""


def _tell_bias(bias: float) -> str:
    return "nothing sold" if np.isnan(bias) else f"{bias:+.0%}"


@dataclass(frozen=True)
class Slice:
    """One slice's sums.

    Attributes:
        name: The column that divides, one of `SLICES`.
        value: Its value.
        by_series: One row per series.
        by_day: One row per day.
        by_both: One row per series and day.
    """

    name: str
    value: str
    by_series: pl.DataFrame
    by_day: pl.DataFrame
    by_both: pl.DataFrame


@dataclass(frozen=True)
class _Expected:
    """What a slice is held against.

    Attributes:
        bias: The bias to be expected; None if not known.
        spread: How far single cutoffs of the backtest lay from it.
        is_own: Whether it was measured on the slice itself.
        nwrmsle: The slice's error in the backtest; NaN if not known.
    """

    bias: float | None
    spread: float
    is_own: bool
    nwrmsle: float

    @classmethod
    def of(cls, promise: Promise | None, group: Slice) -> "_Expected":
        """Return what the backtest found of a slice, or else of all rows."""
        kept = promise.slices if promise else []
        found = next((s for s in kept if (s["slice"], s["value"]) == (group.name, group.value)), {})
        error = found.get("nwrmsle")
        nwrmsle = float("nan") if error is None else float(error)
        if found.get("bias") is not None:
            return cls(found["bias"], found["bias_spread"] or 0.0, is_own=True, nwrmsle=nwrmsle)
        return cls(promise.bias if promise else None, 0.0, is_own=False, nwrmsle=nwrmsle)

    def judge(self, bias: float, margin: float, max_bias: float) -> str:
        """Return the state of a bias whose interval is as wide as twice the margin.

        Unknown without an interval, which few series have not.
        """
        if self.bias is None or np.isnan(margin):
            return UNKNOWN
        allowed = max(max_bias, _SPREAD_FACTOR * self.spread)
        if not abs(bias - self.bias) - margin > allowed:
            return OK
        return ALARM if self.is_own else WATCH


def _sum_up(live: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    sums = live.group_by(by).agg(
        pl.len().alias("rows"),
        pl.col("weight").sum(),
        pl.col("squares").sum().alias("challenger"),
        pl.col(f"squares_{MOVING_AVERAGE}").sum().alias("reference"),
        pl.col("error").sum(),
        pl.col("unit_sales").sum(),
    )
    return sums.sort(by)


def _score(
    group: Slice,
    confidence: float,
    expected: _Expected,
    parameters: MonitoringParameters,
) -> tuple[object, ...]:
    compared, over_days = (
        compare(sums.select("weight", "challenger", "reference").to_pandas(), confidence)
        for sums in (group.by_series, group.by_day)
    )
    bias, margin = _estimate_bias(group, confidence)
    n_series = len(group.by_series)
    if n_series < _FEWEST_FOR_INTERVAL:
        compared = replace(compared, lower=np.nan, upper=np.nan)
    worse = compared.lower > 0 and over_days.lower > 0
    state = ALARM if worse else expected.judge(bias, margin, parameters.max_slice_bias)
    state = WATCH if state == ALARM and n_series < _FEWEST_SERIES else state
    skill = (compared.reference - compared.challenger, -compared.upper, -compared.lower)
    promised = float(expected.bias) if expected.is_own and expected.bias is not None else np.nan
    errors = (compared.challenger, expected.nwrmsle)
    scores = (*errors, bias, bias - margin, bias + margin, *skill, promised)
    n_rows = int(group.by_series["rows"].sum())
    return (group.name, group.value, n_rows, n_series, *map(float, scores), state)


def _estimate_bias(group: Slice, confidence: float) -> tuple[float, float]:
    """Return Σ error / Σ units, NaN where nothing was sold, and half the width of its interval.

    The width is NaN with fewer than five series, too: they tell nothing of others.

    The variance is the sum of those over series and over days, less that over both, which each of
    them has in it (Cameron, Gelbach and Miller 2011): series differ from each other, and a day
    moves all. It is no smaller than either of the two.
    """
    units, error = (float(group.by_series[name].sum()) for name in ("unit_sales", "error"))
    tables = (group.by_series, group.by_day)
    fewest = min(len(sums) for sums in tables)
    if units <= 0 or fewest < _FEWEST_FOR_INTERVAL:
        return error / units if units > 0 else float("nan"), float("nan")
    bias = error / units
    of_series, of_days = (_ratio_variance(sums, bias) for sums in tables)
    spread = of_series + of_days - _ratio_variance(group.by_both, bias)
    spread = max(spread, of_series, of_days)
    return bias, float(stdtrit(fewest - 1, (1 + confidence) / 2) * np.sqrt(spread) / units)


def _ratio_variance(sums: pl.DataFrame, bias: float) -> float:
    rest = sums["error"].to_numpy() - bias * sums["unit_sales"].to_numpy()
    return float(np.sum(rest**2) * len(sums) / (len(sums) - 1))
