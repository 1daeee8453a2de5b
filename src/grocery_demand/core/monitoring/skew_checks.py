"""What is said of training–serving skew, see `feature_skew`."""

from typing import Any

import numpy as np
import polars as pl

from grocery_demand.core.monitoring.check import ALARM, OK, SKEW, UNKNOWN, WATCH, Check
from grocery_demand.core.monitoring.feature_skew import MAX_DIFFERING_SHARE, differs, has_moved
from grocery_demand.core.monitoring.served_features import FEWEST_EVENTS

_MEND = "Compare the served features on /events with `catalog.load('panel')`; retrain after that."


def check_skew(skew: pl.DataFrame | None, n_changed: int = 0) -> list[Check]:
    """Return a check of served against recomputed values, and one of their distribution.

    Args:
        skew: See `measure_skew`; None if too few forecasts were served.
        n_changed: Forecasts that were not compared, as sales of their history came later.
    """
    if skew is None or skew.is_empty():
        told = f"Fewer than {FEWEST_EVENTS} forecasts of this version were served to compare."
        return [Check(SKEW, "features as served", UNKNOWN, told)]
    return [_check_differing(skew, n_changed), _check_distances(skew)]


def _check_differing(skew: pl.DataFrame, n_changed: int) -> Check:
    wrong = skew.filter(differs())
    worst = float(skew["differing_share"].fill_nan(None).max() or 0.0)  # type: ignore[arg-type]
    name = "served values against the panel's"
    left_out = (
        f" Left out: {n_changed:,} forecasts made before sales of their history came or were "
        "corrected."
        if n_changed
        else ""
    )
    if skew["differing_share"].is_nan().all():
        told = f"Fewer than {FEWEST_EVENTS} served forecasts are left to compare.{left_out}"
        return Check(SKEW, name, UNKNOWN, told)
    if wrong.is_empty():
        told = f"{len(skew)} features served as the panel gives them again.{left_out}"
        return Check(SKEW, name, OK, told, "", worst, MAX_DIFFERING_SHARE)
    names = ", ".join(wrong["feature"].head(5))
    told = f"{len(wrong)} features were served otherwise than the panel gives them, as {names}."
    told += left_out
    return Check(SKEW, name, ALARM, told, _MEND, worst, MAX_DIFFERING_SHARE)


def _check_distances(skew: pl.DataFrame) -> Check:
    known = skew.filter(pl.col("psi").is_not_nan())
    furthest = pl.max_horizontal(_ratio("psi", "threshold"), _ratio("ks", "ks_threshold"))
    moved = skew.filter(has_moved()).sort(furthest, descending=True)
    name = "distribution against training"
    if len(moved):
        value, threshold = _tell_further(moved.row(0, named=True))
        told = f"{len(moved)} of {len(skew)} moved: {', '.join(moved['feature'].head(5))}."
        mend = "See whether the live error rises with it; it decides."
        return Check(SKEW, name, WATCH, told, mend, value, threshold)
    if known.is_empty():
        return Check(SKEW, name, UNKNOWN, "Too little history to compare with.")
    top = known.sort(furthest).row(-1, named=True)
    told = f"{len(known)} features within what they moved before; {top['feature']} the most."
    return Check(SKEW, name, OK, told, "", *_tell_further(top))


def _ratio(statistic: str, threshold: str) -> pl.Expr:
    return (pl.col(statistic) / pl.col(threshold)).fill_nan(-1)


def _tell_further(row: dict[str, Any]) -> tuple[float | None, float | None]:
    """Return the statistic that lies further beyond its threshold, and the threshold."""
    both = [(row["psi"], row["threshold"]), (row["ks"], row["ks_threshold"])]
    known = [(v, t) for v, t in both if v is not None and np.isfinite(v / t)]
    return max(known, key=lambda each: each[0] / each[1], default=(None, None))
