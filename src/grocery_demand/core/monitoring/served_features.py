"""Training–serving skew: features as served against those that the model was trained on."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import orjson
import pandas as pd
import polars as pl

from grocery_demand.core.features import Snapshot
from grocery_demand.core.features.encoding import ATTRIBUTES, Encoding
from grocery_demand.core.features.matrix import CALENDAR_FEATURES
from grocery_demand.core.late_days import saw_other_sales
from grocery_demand.core.model_version import ModelVersion
from grocery_demand.core.monitoring.check import ALARM, OK, SKEW, UNKNOWN, WATCH, Check
from grocery_demand.core.monitoring.distance import (
    count_bins,
    find_edges,
    largest_gap,
    stability_index,
)
from grocery_demand.core.panel import SERIES_KEY, Panel

PLANNED_FEATURES = (
    "onpromotion",
    "onpromotion_day_before",
    "onpromotion_day_after",
    "promotions_ahead",
    "item_share_promoted",
)
"""Features made from the promotion plan: it is corrected, and sales take its place."""

FEATURE_SKEW_COLUMNS = (
    "feature",
    "served_missing_share",
    "training_missing_share",
    "psi",
    "ks",
    "threshold",
    "differing_share",
    "state",
)

MAX_DIFFERING_SHARE = 0.01
"""Share of the served values of a feature that may differ from what the panel gives today:
corrected sales change some of them."""

_WEEK = 7
_REFERENCE_WEEKS = (1, 3, 5, 7, 51, 52, 53)
_FEWEST_EVENTS = 200
_MOST_PAIRS = 2000
_NULL_FACTOR = 1.5
_TOLERANCE = 1e-4
_UNSEEN_SHARE = 0.05
_MEND = "Compare the served features on /events with `catalog.load('panel')`; retrain after that."

SnapshotOf = Callable[[int], Snapshot]


@dataclass(frozen=True)
class ServedFeatures:
    """Features of served forecasts, and where they come from.

    Attributes:
        names: Of the features.
        matrix: As served, float32 [event, feature]; NaN where unknown.
        rows: Positions of the series in the panel, int [event].
        steps: Days ahead, int [event].
        days: Cutoffs, as days of the panel, int [event].
        what_if: Promotions assumed (1), ruled out (0) or as planned (-1), int8 [event].
        encoding: The model's vocabulary.
        changed: Whether sales within the event's history came or were corrected later, or may
            have been, bool [event].
    """

    names: tuple[str, ...]
    matrix: np.ndarray
    rows: np.ndarray
    steps: np.ndarray
    days: np.ndarray
    what_if: np.ndarray
    encoding: Encoding
    changed: np.ndarray

    @classmethod
    def of(
        cls, newest: pd.DataFrame, panel: Panel, champion: ModelVersion
    ) -> "ServedFeatures | None":
        """Read the champion's events within its horizon; None if they are too few to compare."""
        version = champion.number
        index = pd.MultiIndex.from_frame(panel.series[SERIES_KEY])
        chosen = newest[(newest["model_version"] == version) & ~newest["long_range"].astype(bool)]
        rows = index.get_indexer(pd.MultiIndex.from_frame(chosen[SERIES_KEY]))
        days = np.array([panel.day_of(cutoff) for cutoff in chosen["cutoff"]], int)
        usable = (rows >= 0) & (days >= 0) & (days < panel.n_days)
        if usable.sum() < _FEWEST_EVENTS:
            return None
        chosen = chosen[usable]
        served = [orjson.loads(text) for text in chosen["features"]]
        table = pl.DataFrame(served, infer_schema_length=None).cast(pl.Float32)
        assumed = chosen["promotion_assumed"].to_numpy(bool)
        promoted = chosen["onpromotion"].to_numpy(np.int8)
        return cls(
            names=tuple(table.columns),
            matrix=table.fill_null(float("nan")).to_numpy(),
            rows=rows[usable],
            steps=chosen["step"].to_numpy(int),
            days=days[usable],
            what_if=np.where(assumed, promoted, np.int8(-1)).astype(np.int8),
            encoding=champion.model.final.encoding,
            changed=saw_other_sales(panel, days[usable]),
        )


def measure_skew(
    served: ServedFeatures, snapshot_of: SnapshotOf, trained: int, max_psi: float
) -> pl.DataFrame:
    """Compare the features that were served with the panel's, and with those of training.

    Each served value is made again from the panel at the event's cutoff and must be the same,
    unless sales before that cutoff came or were corrected later. Its distribution is held against
    the same series and days ahead at past cutoffs, weeks before the training's end and around the
    same week a year earlier: who asks for what does not count, and the season hardly. The threshold
    is what these cutoffs differ by among themselves.

    Args:
        served: What was served.
        snapshot_of: Gives the snapshot of a day of the panel.
        trained: Last day of the panel that the model was trained on.
        max_psi: Index that counts as a change, unless history itself moved more.

    Returns:
        One row per feature: `FEATURE_SKEW_COLUMNS`; psi and ks are of the known values. With the
        threshold they are NaN for features of the calendar and of the series themselves, which the
        season and the buyers decide.
    """
    differing = _compare_with_panel(served, snapshot_of)
    cutoffs = [trained + 1 - week * _WEEK for week in _REFERENCE_WEEKS]
    pairs = _choose_pairs(served)
    past = [_make_again(served, pairs, snapshot_of(day)) for day in cutoffs if day >= _WEEK]
    records = []
    for i, name in enumerate(served.names):
        reference = [matrix[:, i] for matrix in past]
        found = served.matrix[pairs, i]
        psi, ks, threshold = _measure_distance(name, found, reference, max_psi)
        missing = float(np.isnan(found).mean())
        known = float(np.mean([np.isnan(r).mean() for r in reference])) if reference else np.nan
        records.append((name, missing, known, psi, ks, threshold, float(differing[i])))
    table = pl.DataFrame(records, orient="row", schema=list(FEATURE_SKEW_COLUMNS[:-1]))
    moved = pl.when(_has_moved()).then(pl.lit(WATCH)).otherwise(pl.lit(OK))
    return table.with_columns(state=pl.when(_differs()).then(pl.lit(ALARM)).otherwise(moved))


def check_skew(skew: pl.DataFrame | None, n_changed: int = 0) -> list[Check]:
    """Return a check of served against recomputed values, and one of their distribution.

    Args:
        skew: See `measure_skew`; None if too few forecasts were served.
        n_changed: Forecasts that were not compared, as sales of their history came later.
    """
    if skew is None or skew.is_empty():
        told = f"Fewer than {_FEWEST_EVENTS} forecasts of this version were served to compare."
        return [Check(SKEW, "features as served", UNKNOWN, told)]
    return [_check_differing(skew, n_changed), _check_distances(skew)]


def _check_differing(skew: pl.DataFrame, n_changed: int) -> Check:
    wrong = skew.filter(_differs())
    worst = float(skew["differing_share"].fill_nan(None).max() or 0.0)  # type: ignore[arg-type]
    name = "served values against the panel's"
    left_out = (
        f" Left out: {n_changed:,} forecasts made before sales of their history came or were "
        "corrected."
        if n_changed
        else ""
    )
    if skew["differing_share"].is_nan().all():
        told = f"Fewer than {_FEWEST_EVENTS} served forecasts are left to compare.{left_out}"
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
    moved = skew.filter(_has_moved()).sort(pl.col("psi").fill_nan(-1), descending=True)
    name = "distribution against training"
    if len(moved):
        top = moved.row(0, named=True)
        told = f"{len(moved)} of {len(skew)} moved: {', '.join(moved['feature'].head(5))}."
        mend = "See whether the live error rises with it; it decides."
        return Check(SKEW, name, WATCH, told, mend, top["psi"], top["threshold"])
    if known.is_empty():
        return Check(SKEW, name, UNKNOWN, "Too little history to compare with.")
    top = known.sort(pl.col("psi") / pl.col("threshold")).row(-1, named=True)
    told = f"{len(known)} features within what they moved before; {top['feature']} the most."
    return Check(SKEW, name, OK, told, "", top["psi"], top["threshold"])


def _differs() -> pl.Expr:
    """Whether too many values were served otherwise; not if nothing can be said."""
    return pl.col("differing_share").fill_nan(0) > MAX_DIFFERING_SHARE


def _has_moved() -> pl.Expr:
    """Whether the distribution moved, or more values than in training are unknown."""
    unseen = pl.col("served_missing_share") > pl.col("training_missing_share") + _UNSEEN_SHARE
    moved = pl.col("psi").fill_nan(-1) > pl.col("threshold")
    return (moved | unseen) & ~pl.col("feature").is_in(CALENDAR_FEATURES)


def _compare_with_panel(served: ServedFeatures, snapshot_of: SnapshotOf) -> np.ndarray:
    """Return the share of each feature's values that the panel gives otherwise, [feature].

    NaN where nothing can be said: plans are corrected and give way to sales, and forecasts whose
    history changed since are left out.
    """
    n_compared = np.count_nonzero(~served.changed)
    if n_compared < _FEWEST_EVENTS:
        return np.full(len(served.names), np.nan)
    same = np.zeros(len(served.names))
    for day in np.unique(served.days[~served.changed]):
        events = np.flatnonzero((served.days == day) & ~served.changed)
        again, as_served = _make_again(served, events, snapshot_of(int(day))), served.matrix[events]
        close = np.isclose(again, as_served, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
        same += close.sum(axis=0)
    differing = 1 - same / n_compared
    return np.where(np.isin(served.names, PLANNED_FEATURES), np.nan, differing)


def _make_again(served: ServedFeatures, events: np.ndarray, snapshot: Snapshot) -> np.ndarray:
    """Return the features of the events' series and days ahead as of a day, [event, feature]."""
    return snapshot.features(
        served.encoding,
        served.steps[events, None],
        served.names,
        served.rows[events],
        served.what_if[events, None],
    )


def _choose_pairs(served: ServedFeatures) -> np.ndarray:
    """Return the positions of events that stand for all, spread over them evenly."""
    n_events = len(served.rows)
    return np.unique(np.linspace(0, n_events - 1, min(n_events, _MOST_PAIRS)).astype(int))


def _measure_distance(
    name: str, found: np.ndarray, reference: list[np.ndarray], max_psi: float
) -> tuple[float, float, float]:
    given = name in (*CALENDAR_FEATURES, *ATTRIBUTES, "step")
    if given or len(reference) < 2:  # noqa: PLR2004
        return float("nan"), float("nan"), float("nan")
    together = np.concatenate(reference)
    edges = find_edges(together)
    counts = np.stack([count_bins(values, edges)[:-1] for values in reference])
    others = counts.sum(axis=0) - counts
    null = stability_index(others, counts)
    psi = stability_index(counts.sum(axis=0), count_bins(found, edges)[:-1])
    threshold = max(max_psi, _NULL_FACTOR * float(null[np.isfinite(null)].max(initial=0)))
    return float(psi), largest_gap(together, found), threshold
