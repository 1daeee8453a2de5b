"""Training–serving skew: features as served against those that the model was trained on."""

from dataclasses import astuple, dataclass

import numpy as np
import polars as pl
from scipy.special import ndtr

from grocery_demand.core.features.ahead import CALENDAR_FEATURES
from grocery_demand.core.features.encoding import ATTRIBUTES
from grocery_demand.core.monitoring.bootstrap import (
    N_GROUPS,
    Draws,
    compare_shares,
    group_series,
    set_threshold,
)
from grocery_demand.core.monitoring.check import ALARM, OK, WATCH
from grocery_demand.core.monitoring.distance import (
    count_bins,
    find_edges,
    largest_gap,
    stability_index,
)
from grocery_demand.core.monitoring.served_features import (
    FEWEST_EVENTS,
    ServedFeatures,
    SnapshotOf,
    choose_pairs,
    make_again,
)

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
    "ks_threshold",
    "differing_share",
    "state",
)

MAX_DIFFERING_SHARE = 0.01
"""Share of the served values of a feature that may differ from what the panel gives today:
corrected sales change some of them."""

_WEEK = 7
_REFERENCE_WEEKS = (1, 3, 5, 7, 51, 52, 53)
_NULL_FACTOR = 1.5
_KS_BINS = 100
_TOLERANCE = 1e-4
_UNSEEN_SHARE = 0.05


def measure_skew(
    served: ServedFeatures, snapshot_of: SnapshotOf, trained: int, max_psi: float
) -> pl.DataFrame:
    """Compare the features that were served with the panel's, and with those of training.

    Each served value is made again from the panel at the event's cutoff and must be the same,
    unless sales before that cutoff came or were corrected later. Its distribution is held against
    the same series and days ahead at past cutoffs, weeks before the training's end and around the
    same week a year earlier: who asks for what does not count, and the season hardly. Its
    thresholds are a bootstrap of how far each of these cutoffs lies from the others, see
    `bootstrap`.

    Args:
        served: What was served.
        snapshot_of: Gives the snapshot of a day of the panel.
        trained: Last day of the panel that the model was trained on.
        max_psi: Index that counts as a change, unless history itself moved more.

    Returns:
        One row per feature: `FEATURE_SKEW_COLUMNS`; psi and ks are of the known values. With their
        thresholds they are NaN for features of the calendar and of the series themselves, which the
        season and the buyers decide.
    """
    differing = _compare_with_panel(served, snapshot_of)
    cutoffs = [trained + 1 - week * _WEEK for week in _REFERENCE_WEEKS]
    pairs = choose_pairs(served)
    past = [make_again(served, pairs, snapshot_of(day)) for day in cutoffs if day >= _WEEK]
    reference = np.stack(past) if past else np.empty((0, len(pairs), len(served.names)))
    groups = group_series(served.rows[pairs])
    records = []
    for i, name in enumerate(served.names):
        found, before = served.matrix[pairs, i], reference[:, :, i]
        distance = _measure_distance(name, found, before, groups, max_psi)
        missing = float(np.isnan(found).mean())
        known = float(np.isnan(before).mean()) if past else np.nan
        records.append((name, missing, known, *astuple(distance), float(differing[i])))
    table = pl.DataFrame(records, orient="row", schema=list(FEATURE_SKEW_COLUMNS[:-1]))
    moved = pl.when(has_moved()).then(pl.lit(WATCH)).otherwise(pl.lit(OK))
    return table.with_columns(state=pl.when(differs()).then(pl.lit(ALARM)).otherwise(moved))


def differs() -> pl.Expr:
    """Whether too many values were served otherwise; not if nothing can be said."""
    return pl.col("differing_share").fill_nan(0) > MAX_DIFFERING_SHARE


def has_moved() -> pl.Expr:
    """Whether the distribution moved, or more values than in training are unknown."""
    unseen = pl.col("served_missing_share") > pl.col("training_missing_share") + _UNSEEN_SHARE
    moved = pl.col("psi").fill_nan(-1) > pl.col("threshold")
    moved |= pl.col("ks").fill_nan(-1) > pl.col("ks_threshold")
    return (moved | unseen) & ~pl.col("feature").is_in(CALENDAR_FEATURES)


def _compare_with_panel(served: ServedFeatures, snapshot_of: SnapshotOf) -> np.ndarray:
    """Return the share of each feature's values that the panel gives otherwise, [feature].

    NaN where nothing can be said: plans are corrected and give way to sales, and forecasts whose
    history changed since are left out.
    """
    n_compared = np.count_nonzero(~served.changed)
    if n_compared < FEWEST_EVENTS:
        return np.full(len(served.names), np.nan)
    same = np.zeros(len(served.names))
    for day in np.unique(served.days[~served.changed]):
        events = np.flatnonzero((served.days == day) & ~served.changed)
        again, as_served = make_again(served, events, snapshot_of(int(day))), served.matrix[events]
        close = np.isclose(again, as_served, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
        same += close.sum(axis=0)
    differing = 1 - same / n_compared
    return np.where(np.isin(served.names, PLANNED_FEATURES), np.nan, differing)


@dataclass(frozen=True)
class _Distance:
    """How far the served values of a feature lie from those of past cutoffs; NaN if not measured.

    Attributes:
        psi: Population stability index.
        ks: Kolmogorov–Smirnov statistic.
        psi_threshold: What past cutoffs' index is by `bootstrap`.
        ks_threshold: The same of the statistic.
    """

    psi: float = float("nan")
    ks: float = float("nan")
    psi_threshold: float = float("nan")
    ks_threshold: float = float("nan")


def _measure_distance(
    name: str, found: np.ndarray, past: np.ndarray, groups: np.ndarray, max_psi: float
) -> _Distance:
    """Compare one feature.

    Args:
        name: Of the feature.
        found: As served, float32 [pair].
        past: Of the same pairs at past cutoffs, float32 [cutoff, pair].
        groups: Of the pairs' series.
        max_psi: Index that counts as a change, unless history itself moved more.
    """
    given = name in (*CALENDAR_FEATURES, *ATTRIBUTES, "step")
    if given or len(past) < 2:  # noqa: PLR2004
        return _Distance()
    edges = find_edges(past.ravel())
    psi = stability_index(count_bins(past.ravel(), edges)[:-1], count_bins(found, edges)[:-1])
    null = stability_index(*_draw_past(past, groups, edges))
    fine = find_edges(past.ravel(), _KS_BINS)
    null_gaps = compare_shares(*_draw_past(past, groups, fine))
    return _Distance(
        float(psi),
        largest_gap(past.ravel(), found),
        set_threshold(null, max_psi, _NULL_FACTOR),
        set_threshold(null_gaps, gap_of_index(max_psi), _NULL_FACTOR),
    )


def gap_of_index(psi: float) -> float:
    """Return the Kolmogorov–Smirnov statistic of a shift of that stability index.

    Of two normal distributions of the same variance: their index is the square of the shift d in
    standard deviations, and the gap between them is 2Φ(d/2) − 1.
    """
    return float(2 * ndtr(np.sqrt(psi) / 2) - 1)


def _draw_past(
    past: np.ndarray, groups: np.ndarray, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the other cutoffs' counts and those of one drawn cutoff, float64 [draw, bin]."""
    n_bins = len(edges) + 1
    bins = np.searchsorted(edges, past)
    cutoff = np.arange(len(past))[:, None]
    keys = (groups * len(past) + cutoff) * n_bins + bins
    counts = np.bincount(keys[~np.isnan(past)], minlength=N_GROUPS * len(past) * n_bins)
    counts = counts.reshape(N_GROUPS, len(past), n_bins).astype(float)
    draws = Draws.make(N_GROUPS, len(past))
    found = draws.sum_up(counts)
    return draws.sum_up(counts.sum(axis=1, keepdims=True) - counts), found
