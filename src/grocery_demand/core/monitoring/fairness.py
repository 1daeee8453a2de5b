"""Whether some products or stores are served worse than others, beyond noise."""

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
    """Score each slice with intervals over its series.

    Bias is a ratio of sums over series, its variance estimated by linearisation (Cochran 1977,
    section 6.4); skill is the moving average's NWRMSLE less the model's, see
    `core.gate.comparison.compare`. The confidence holds for all slices together (Bonferroni). A
    slice is `alarm` if its whole interval of the bias lies further from the backtest's than
    allowed and than single cutoffs of the backtest lay, or if it is surely worse than the moving
    average; with fewer than 20 series it is only `watch`.

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
    sums = live.group_by([*SERIES_KEY, *SLICES]).agg(
        pl.len().alias("rows"),
        pl.col("weight").sum(),
        pl.col("squares").sum().alias("challenger"),
        pl.col(f"squares_{MOVING_AVERAGE}").sum().alias("reference"),
        pl.col("error").sum(),
        pl.col("unit_sales").sum(),
    )
    groups = [
        (name, key[0], rows)
        for name in SLICES
        for key, rows in sums.sort(SERIES_KEY).partition_by(name, as_dict=True).items()
    ]
    each = 1 - (1 - parameters.confidence) / max(len(groups), 1)
    expected = {(s["slice"], s["value"]): s for s in promise.slices} if promise else {}
    records = [
        _score(name, str(value), rows, each, expected.get((name, str(value))), parameters)
        for name, value, rows in groups
    ]
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
        f"{row['slice']} {row['value']} ({row['bias']:+.0%})" for row in worst.head(4).to_dicts()
    ]
    state = ALARM if len(off) else WATCH if len(doubtful) else OK
    many = {ALARM: len(off), WATCH: len(doubtful)}.get(state, 0)
    told = {
        OK: f"{len(fairness)} slices as in the backtest; the largest bias: {shown[0]}.",
    }.get(state, f"{many} of {len(fairness)} slices are off: {', '.join(shown)}.")
    mend = "" if state == OK else "Retrain if the live error rises, too; see the table of slices."
    return [Check(FAIRNESS, name, state, told, mend, float(many), 0.0)]


def _score(
    name: str,
    value: str,
    rows: pl.DataFrame,
    confidence: float,
    expected: dict[str, float] | None,
    parameters: MonitoringParameters,
) -> tuple[object, ...]:
    compared = compare(rows.select("weight", "challenger", "reference").to_pandas(), confidence)
    bias, low, high = _estimate_bias(rows, confidence)
    promised = (expected or {}).get("bias")
    spread = (expected or {}).get("bias_spread") or 0.0
    allowed = max(parameters.max_slice_bias, _SPREAD_FACTOR * spread)
    middle = 0.0 if promised is None else promised
    off = low > middle + allowed or high < middle - allowed or compared.lower > 0
    state = OK if not off else ALARM if len(rows) >= _FEWEST_SERIES else WATCH
    skill = (compared.reference - compared.challenger, -compared.upper, -compared.lower)
    expected_bias = float("nan") if promised is None else float(promised)
    scores = (compared.challenger, bias, low, high, *skill, expected_bias)
    return (name, value, int(rows["rows"].sum()), len(rows), *map(float, scores), state)


def _estimate_bias(rows: pl.DataFrame, confidence: float) -> tuple[float, float, float]:
    """Return Σ error / Σ units with its interval over series; NaN where nothing was sold."""
    error, units = rows["error"].to_numpy(), rows["unit_sales"].to_numpy()
    n_series, sold = len(rows), units.sum()
    if sold <= 0 or n_series < 2:  # noqa: PLR2004
        return float(error.sum() / sold) if sold > 0 else float("nan"), float("nan"), float("nan")
    bias = error.sum() / sold
    spread = np.sum((error - bias * units) ** 2) * n_series / (n_series - 1)
    margin = stdtrit(n_series - 1, (1 + confidence) / 2) * np.sqrt(spread) / sold
    return float(bias), float(bias - margin), float(bias + margin)
