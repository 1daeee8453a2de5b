"""The challenger that is served beside the champion: both on the same days, series and cutoffs."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from scipy.special import stdtrit

from grocery_demand.core.intervals import INTERVAL
from grocery_demand.core.models import BASELINES
from grocery_demand.core.monitoring.group_scores import add_errors, score_groups
from grocery_demand.core.panel import SERIES_KEY
from grocery_demand.core.rollout import ServedChallenger

_ROW = [*SERIES_KEY, "cutoff", "date"]
_FORECAST = ["point", *INTERVAL]
_BESIDE = "_beside"
_SCORES = ("nwrmsle", "wape", "bias", "coverage")
_LARGE_DIFFERENCE = float(np.log(1.2))


@dataclass(frozen=True)
class LiveComparison:
    """Live error of champion and challenger on the same rows.

    Attributes:
        rows: Forecasts compared: series, cutoff and date.
        series: Different series among them.
        days: Different dates among them.
        champion: NWRMSLE of the champion; NaN without a row, as all that follow.
        challenger: NWRMSLE of the challenger.
        lower: Lower bound of the interval of the difference challenger − champion; NaN if there
            are too few series or days to tell.
        upper: Its upper bound.
    """

    rows: int
    series: int
    days: int
    champion: float
    challenger: float
    lower: float
    upper: float

    @property
    def difference(self) -> float:
        """NWRMSLE of the challenger less the champion's: above zero it is worse."""
        return self.challenger - self.champion

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, the difference included."""
        return asdict(self) | {"difference": self.difference}


def pair_forecasts(
    live: pl.DataFrame, archive: pl.LazyFrame, served: ServedChallenger
) -> pl.DataFrame:
    """Put the challenger's stored forecasts beside the champion's, and beside the sales.

    Args:
        live: The champion's, see `live_error.join_sales`.
        archive: Forecasts of all versions as they were made.
        served: The challenger; what it forecast of days that it was trained on is left out.

    Returns:
        The rows of `live` that both forecast, with the challenger's point and interval as
        `…_beside`.
    """
    trained = date.fromisoformat(str(served.version.model.metadata["cutoff"]))
    theirs = archive.filter(
        pl.col("model_version") == served.version.number, pl.col("cutoff") >= trained
    ).select(*_ROW, *(pl.col(name).alias(name + _BESIDE) for name in _FORECAST))
    return live.join(theirs.collect(), on=_ROW, how="inner")


def compare_live(pairs: pl.DataFrame, confidence: float) -> LiveComparison:
    """Compare the errors, with an interval of their difference.

    Series and days are the sampling units (Cochran 1977, section 6.4): errors of one series depend
    on each other, and a day moves all series. The variance is the sum of those over series and over
    days, less that over both, which each of them has in it, and no smaller than either of the two
    (Cameron, Gelbach and Miller 2011).

    Args:
        pairs: See `pair_forecasts`.
        confidence: Of the interval.
    """
    nothing = float("nan")
    if pairs.is_empty():
        return LiveComparison(0, 0, 0, nothing, nothing, nothing, nothing)
    squares = {"champion": pairs["squares"], "challenger": _of_challenger(pairs)["squares"]}
    total = float(pairs["weight"].sum())
    sums = (float(each.sum()) for each in squares.values())
    champion, challenger = (float(np.sqrt(each / total)) for each in sums)
    difference, scale = challenger - champion, challenger + champion
    worse_by = squares["challenger"] - squares["champion"] - difference * scale * pairs["weight"]
    rows = pairs.select(*SERIES_KEY, "date", worse_by.alias("worse_by"))
    groupings = (list(SERIES_KEY), ["date"], [*SERIES_KEY, "date"])
    n_groups, spreads = zip(*(_measure_spread(rows, by) for by in groupings), strict=True)
    of_series, of_days, of_both = spreads
    spread = np.max([of_series + of_days - of_both, of_series, of_days])
    fewest = min(n_groups)
    quantile = stdtrit(fewest - 1, (1 + confidence) / 2) if fewest > 1 else nothing
    margin = float(quantile * np.sqrt(spread) / total / scale) if scale else 0.0
    return LiveComparison(
        rows=len(pairs),
        series=n_groups[0],
        days=n_groups[1],
        champion=champion,
        challenger=challenger,
        lower=difference - margin,
        upper=difference + margin,
    )


def _measure_spread(rows: pl.DataFrame, by: list[str]) -> tuple[int, float]:
    """Return how many groups there are, and the variance of the sum of `worse_by` over them."""
    sums = rows.group_by(by).agg(pl.col("worse_by").sum())["worse_by"].to_numpy()
    n_groups = len(sums)
    return n_groups, float(np.sum(sums**2)) * n_groups / max(n_groups - 1, 1)


def tabulate_measures(
    pairs: pl.DataFrame,
    differences: dict[str, float],
    roles: pd.DataFrame,
    versions: dict[str, int],
) -> pd.DataFrame:
    """Lay out what is known of both.

    Args:
        pairs: See `pair_forecasts`.
        differences: See `measure_differences`.
        roles: Of the event log, see `ServedEvents`.
        versions: Number of the version, by `champion` and `challenger`.

    Returns:
        One row per measure: measure, champion, challenger; NaN where it is not known.
    """
    records: list[tuple[object, ...]] = []
    if len(pairs):
        ours, theirs = (_score(each) for each in (pairs, _of_challenger(pairs)))
        records = [(name, ours[name], theirs[name]) for name in _SCORES]
    totals = (differences.get(f"total_{who}", float("nan")) for who in versions)
    records.append(("forecast_units", *totals))
    for name in ("requests", "latency_ms", "latency_ms_95"):
        records.append((name, *(_of_role(roles, n, name) for n in versions.values())))
    return pd.DataFrame(records, columns=["measure", *versions])


def measure_differences(
    archive: pl.LazyFrame, events: pd.DataFrame, versions: dict[str, int]
) -> dict[str, float]:
    """Measure how far the two forecast apart, before anybody knows who is right.

    Args:
        archive: Forecasts of all versions as they were made.
        events: `pairs` of `ServedEvents`.
        versions: Number of the version, by `champion` and `challenger`.

    Returns:
        Of the newest cutoff of which both have forecasts: `rows`, `total_champion` and
        `total_challenger` in units, `mean_difference` (mean of |ln(1+a) − ln(1+b)|) and
        `differing_share` (of the forecasts that differ by more than a fifth). Of the newest
        forecasts made in shadow: `shadow_rows` and `shadow_mean_difference`.
    """
    found = _newest_pairs(archive, versions)
    told: dict[str, float] = {"rows": len(found)}
    if len(found):
        apart = (found["champion"].log1p() - found["challenger"].log1p()).abs()
        told |= {
            "total_champion": float(found["champion"].sum()),
            "total_challenger": float(found["challenger"].sum()),
            "mean_difference": float(apart.mean()),  # type: ignore[arg-type]
            "differing_share": float((apart > _LARGE_DIFFERENCE).mean()),  # type: ignore[arg-type]
        }
    if len(events):
        events = events[
            (events["model_version"] == versions["challenger"])
            & (events["given_model_version"] == versions["champion"])
        ]
    told["shadow_rows"] = len(events)
    if len(events):
        given, shadow = events["given_prediction"], events["prediction"]
        told["shadow_mean_difference"] = float((np.log1p(given) - np.log1p(shadow)).abs().mean())
    return told


def _newest_pairs(archive: pl.LazyFrame, versions: dict[str, int]) -> pl.DataFrame:
    """Return both forecasts of the newest cutoff of which there are both, one row each."""
    parts = {
        who: archive.filter(pl.col("model_version") == number).select(
            *_ROW, pl.col("point").cast(pl.Float64).alias(who)
        )
        for who, number in versions.items()
    }
    both = parts["champion"].join(parts["challenger"], on=_ROW, how="inner")
    return both.filter(pl.col("cutoff") == pl.col("cutoff").max()).collect()


def _of_challenger(pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the same rows with the challenger's forecasts and errors."""
    kept = pairs.select(*_ROW, "unit_sales", "weight", *BASELINES)
    theirs = [pairs[name + _BESIDE].alias(name) for name in _FORECAST]
    return add_errors(kept.with_columns(*theirs))


def _score(rows: pl.DataFrame) -> dict[str, float]:
    scores: dict[str, float] = score_groups(rows.with_columns(all=pl.lit(1)), ["all"]).row(
        0, named=True
    )
    return scores


def _of_role(roles: pd.DataFrame, version: int, name: str) -> float:
    """Return a number of the role that a version was last seen in; NaN if it served nothing."""
    if roles.empty:
        return float("nan")
    rows = roles[roles["model_version"] == version]
    if name == "requests":
        return float(rows[name].sum())
    values = rows.sort_values("requests")[name].dropna()
    return float(values.iloc[-1]) if len(values) else float("nan")
