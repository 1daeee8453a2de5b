"""Whether some products or stores are served worse than others, beyond noise."""

from dataclasses import dataclass

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
    than the moving average by series and by days; with fewer than 20 series it is only `watch`.

    Args:
        live: Forecasts beside sales, see `live_error.join_sales`.
        promise: What the backtest promised.
        parameters: Allowed bias and confidence.

    Returns:
        One row per slice and value: `FAIRNESS_COLUMNS`; bias and skill as shares and NWRMSLE.
        Empty before a week of sales has arrived: what moves all series of a day would decide.
    """
    if live["date"].n_unique() < _FEWEST_DAYS:
        return pl.DataFrame(schema=dict.fromkeys(FAIRNESS_COLUMNS, pl.String))
    by_series = _sum_up(live, [*SERIES_KEY, *SLICES])
    groups = [
        Slice(name, str(key[0]), rows, _sum_up(live.filter(pl.col(name) == key[0]), ["date"]))
        for name in SLICES
        for key, rows in by_series.partition_by(name, as_dict=True).items()
    ]
    each = 1 - (1 - parameters.confidence) / max(len(groups), 1)
    expected = {(s["slice"], s["value"]): s for s in promise.slices} if promise else {}
    records = [_score(g, each, expected.get((g.name, g.value)), parameters) for g in groups]
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
    many = {ALARM: len(off), WATCH: len(doubtful)}.get(state, 0)
    told = {
        OK: f"{len(fairness)} slices as in the backtest; the largest bias: {shown[0]}.",
    }.get(state, f"{many} of {len(fairness)} slices are off: {', '.join(shown)}.")
    mend = "" if state == OK else "Retrain if the live error rises, too; see the table of slices."
    return [Check(FAIRNESS, name, state, told, mend, float(many), 0.0)]


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
    """

    name: str
    value: str
    by_series: pl.DataFrame
    by_day: pl.DataFrame


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
    expected: dict[str, float] | None,
    parameters: MonitoringParameters,
) -> tuple[object, ...]:
    compared, over_days = (
        compare(sums.select("weight", "challenger", "reference").to_pandas(), confidence)
        for sums in (group.by_series, group.by_day)
    )
    bias, margin = _estimate_bias(group, confidence)
    promised = (expected or {}).get("bias")
    spread = (expected or {}).get("bias_spread") or 0.0
    allowed = max(parameters.max_slice_bias, _SPREAD_FACTOR * spread)
    too_far = abs(bias - (promised or 0.0)) - margin > allowed
    worse = compared.lower > 0 and over_days.lower > 0
    n_series = len(group.by_series)
    state = OK if not (too_far or worse) else ALARM if n_series >= _FEWEST_SERIES else WATCH
    skill = (compared.reference - compared.challenger, -compared.upper, -compared.lower)
    expected_bias = float("nan") if promised is None else float(promised)
    scores = (compared.challenger, bias, bias - margin, bias + margin, *skill, expected_bias)
    n_rows = int(group.by_series["rows"].sum())
    return (group.name, group.value, n_rows, n_series, *map(float, scores), state)


def _estimate_bias(group: Slice, confidence: float) -> tuple[float, float]:
    """Return Σ error / Σ units and half the width of its interval; NaN where nothing was sold.

    The variance is the sum of those over series and over days (after Cameron, Gelbach and Miller
    2011, without the part that both share): series differ from each other, and a day moves all.
    """
    units, error = (float(group.by_series[name].sum()) for name in ("unit_sales", "error"))
    tables = (group.by_series, group.by_day)
    fewest = min(len(sums) for sums in tables)
    if units <= 0 or fewest < 2:  # noqa: PLR2004
        return error / units if units > 0 else float("nan"), float("nan")
    bias = error / units
    spread = sum(_ratio_variance(sums, bias) for sums in tables)
    return bias, float(stdtrit(fewest - 1, (1 + confidence) / 2) * np.sqrt(spread) / units)


def _ratio_variance(sums: pl.DataFrame, bias: float) -> float:
    rest = sums["error"].to_numpy() - bias * sums["unit_sales"].to_numpy()
    return float(np.sum(rest**2) * len(sums) / (len(sums) - 1))
